import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { follow } from '../cli/gateway-process.ts'
import { freePort } from '../kit/port.ts'
import { type Root, tempRoot } from '../kit/root.ts'
import { freshCopy, tree } from './fresh-copy.ts'

let home: Root
let tarball: string
/** The package as `npm install -g` leaves it, and its command. */
let installed: string
let command: string

beforeAll(() => {
  home = tempRoot('pack')
  const copy = freshCopy({ installed: true })
  const pack = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', home.path], {
    cwd: copy.path,
    encoding: 'utf8',
  })
  tarball = join(home.path, /zos-gateway-[\d.]+\.tgz/.exec(pack)?.[0] ?? '')
  npm('install', '--global', '--prefix', home.path, tarball)
  installed = join(home.path, 'lib/node_modules/zos-gateway')
  command = join(home.path, 'bin/gateway')
})
afterAll(() => home.remove())

const npm = (...args: string[]): string =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], {
    cwd: home.path,
    encoding: 'utf8',
  })

const folder = (name: string, files: Record<string, string> = {}): string => {
  const path = join(home.path, name)
  mkdirSync(path)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}
const ports = async () => ({
  GATEWAY_HTTP: String(await freePort()),
  GATEWAY_HTTPS: String(await freePort()),
  GATEWAY_API: String(await freePort()),
  XDG_STATE_HOME: join(home.path, 'state'),
})

test('the tarball holds JavaScript, types and papers, and no sources but configs and templates to copy', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((file) => !file.startsWith('node_modules'))
  for (const file of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'bin/gateway.js',
    'bin/gateway-dns-hook.js',
    'dist/core/index.js',
    'dist/core/index.d.ts',
    'docs/errors.md',
    'etc/gateway.service',
    'templates/resolver/src/index.ts',
  ])
    expect(files).toContain(file)
  const sources = files.filter((file) => /(?<!\.d)\.m?ts$/.test(file) && !file.startsWith('templates/'))
  expect(sources.sort()).toEqual(['etc/zos/gateway.config.ts', 'gateway.config.ts'])
})

test('publint has nothing to say against it', () => {
  const publint = spawnSync(join(tree, 'node_modules/.bin/publint'), ['run', tarball, '--strict'], { encoding: 'utf8' })
  expect(publint.stdout + publint.stderr).toMatch(/All good/)
  expect(publint.status).toBe(0)
})

test('npx runs it from an empty folder', () => {
  const empty = folder('npx')
  const args = ['--yes', '--prefer-offline', '--loglevel=error', '--package', tarball, '--', 'gateway', '--version']
  expect(execFileSync('npx', args, { cwd: empty, encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(readdirSync(empty)).toEqual([])
})

test('it runs in an empty folder, keeps its state in the folder of the user, and ends in good order', async () => {
  const empty = folder('empty')
  await using gateway = follow(command, [], { cwd: empty, env: { ...process.env, ...(await ports()) } })
  await gateway.until('is up')
  expect(gateway.stdout).toContain('names under gw.localhost')
  expect(existsSync(join(home.path, 'state/zos-gateway/gateway.sock'))).toBe(true)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  expect(readdirSync(empty)).toEqual([])
})

const config = `import { defineGateway, definePlugin, type Flags } from 'zos-gateway'
import { local } from 'zos-gateway/presets'
const own = definePlugin({ name: 'service/own', kind: 'service', setup: ({ log }) => { log('own plugin here'); return {} } })
export default defineGateway((flags: Flags) => ({ plugins: [...local(flags), own] }))
`
test.for([
  ['gateway.config.mts', undefined],
  ['gateway.config.ts', '{ "type": "module" }'],
  ['gateway.config.mjs', undefined],
])('a config %s of a folder without packages imports the running package', async ([name = '', manifest]) => {
  const text = name.endsWith('.mjs') ? config.replace(', type Flags', '').replace(': Flags', '') : config
  const cwd = folder(`config-${name}`, { [name]: text, ...(manifest && { 'package.json': manifest }) })
  await using gateway = follow(command, ['--root', join(cwd, 'root')], { cwd, env: { ...process.env, ...(await ports()) } })
  await gateway.until('own plugin here')
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})

test('gateway init writes a config that runs', async () => {
  const cwd = folder('init')
  execFileSync(command, ['init'], { cwd })
  await using gateway = follow(command, ['--root', join(cwd, 'root')], { cwd, env: { ...process.env, ...(await ports()) } })
  await gateway.until('is up')
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})

test('an old Node is told what to do, before anything is imported that it may not know', () => {
  const pretend = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.11.1'}})`
  const old = spawnSync(process.execPath, ['--import', pretend, join(installed, 'bin/gateway.js')], { encoding: 'utf8' })
  expect(old.stderr).toBe(
    'zos-gateway needs Node 22.18 or newer, and this is 20.11.1. Run it as: npx -p node@24 -p zos-gateway gateway\n',
  )
  expect(old.status).toBe(78)
})

test('a user whom only a service manager knows runs it in the root that is named, through a link of its own, and in no other', async () => {
  const cwd = folder('service')
  mkdirSync(join(cwd, 'private'), { mode: 0o700 })
  symlinkSync('private', join(cwd, 'root'))
  const env: NodeJS.ProcessEnv = { ...process.env, ...(await ports()) }
  for (const name of ['HOME', 'XDG_STATE_HOME', 'GATEWAY_ROOT']) delete env[name]
  const run = (...args: string[]) => {
    const user = ['--user', '--map-user=4711']
    return follow('unshare', [...user, process.execPath, join(installed, 'bin/gateway.js'), ...args], { cwd: '/', env })
  }
  await using gateway = run('--root', join(cwd, 'root'))
  await gateway.until('Ctrl-C')
  expect(gateway.stdout).toContain(`gateway set-name --root ${join(cwd, 'root')} `)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  expect(existsSync(join(cwd, 'private/state'))).toBe(true)
  await using lost = run()
  expect(await lost.ended).toBe(73)
  expect(lost.stderr).toMatch(/^gateway: ROOT_UNUSABLE: this user has no home folder[^\n]*--root[^\n]*\n$/)
})

/** Every example of the README and the docs that stands for itself: one line of a config, or one about a plugin of the reader's, is none. */
const examples = (): Record<string, string> => {
  const pages = ['README.md', ...readdirSync(join(tree, 'docs')).map((name) => `docs/${name}`)].filter((page) =>
    page.endsWith('.md'),
  )
  const found = pages.flatMap((page) =>
    [...readFileSync(join(tree, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
      .map(([, code = ''], index) => [`${page.replaceAll(/\W/g, '-')}-${index}.ts`, code] as const)
      .filter(([, code]) => code.startsWith('import ') && !/\bmy[A-Z]/.test(code)),
  )
  return Object.fromEntries(found)
}
const wrong = `import { createGateway, defineGateway, definePlugin } from 'zos-gateway'
import { embedded, level, staticNode } from 'zos-gateway/plugins'
import { createClient } from 'zos-gateway/zbus'
// @ts-expect-error a port is a number
embedded({ https: { port: '443' } })
// @ts-expect-error no such option
staticNode({ ip: '192.0.2.1' })
// @ts-expect-error a factory is to be called
defineGateway({ plugins: [level] })
// @ts-expect-error a policy has to check
definePlugin({ name: 'policy/x', kind: 'policy', setup: () => ({}) })
// @ts-expect-error the name says the kind
definePlugin({ name: 'engine/x', kind: 'policy', setup: () => ({ check: () => [] }) })
// @ts-expect-error without a broker there is nobody to call
createClient({})
export const size: number = (await createGateway({ plugins: [level()] })).routes.size
`

test('every example compiles against the types of the package, and mistakes do not', () => {
  const cwd = folder('types', {
    'package.json': '{ "type": "module" }',
    'wrong.ts': wrong,
    'gateway.config.ts': config,
    ...examples(),
  })
  mkdirSync(join(cwd, 'node_modules/@types'), { recursive: true })
  symlinkSync(installed, join(cwd, 'node_modules/zos-gateway'))
  symlinkSync(join(tree, 'node_modules/@types/node'), join(cwd, 'node_modules/@types/node'))
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'esnext',
    types: ['node'],
    noEmit: true,
    erasableSyntaxOnly: true,
    skipLibCheck: false,
  }
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
  const tsc = spawnSync(join(tree, 'node_modules/.bin/tsc'), ['-p', cwd], { encoding: 'utf8' })
  expect(tsc.stdout).toBe('')
  expect(Object.keys(examples()).length).toBeGreaterThan(3)
})
