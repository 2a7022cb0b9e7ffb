import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { follow } from '../cli/gateway-process.ts'
import { freePort } from '../kit/port.ts'
import { shell, tree } from './fresh-copy.ts'
import { type Stranger, stranger, tally } from './stranger.ts'

let at: Stranger
beforeAll(async () => {
  at = await stranger()
})
afterAll(() => at.remove())

/** A package compiles, passes its tests, and builds JavaScript that loads. */
const prove = (folder: string, least: number): void => {
  expect(at.run(folder, 'tsc', '-p', '.')).toMatchObject({ stdout: '', status: 0 })
  const { stdout, stderr, status } = at.run(folder, 'vitest', 'run', '--reporter=json')
  expect({ status, failed: status === 0 ? [] : failures(stdout) || stderr }).toEqual({ status: 0, failed: [] })
  expect(tally(stdout).passed).toBeGreaterThanOrEqual(least)
  expect(at.run(folder, 'tsc', '-p', 'tsconfig.build.json')).toMatchObject({ stdout: '', status: 0 })
  const factories =
    "import('./dist/index.js').then((all) => console.log(Object.values(all).filter((each) => typeof each === 'function').length))"
  expect(Number(at.run(folder, 'node', '-e', factories).stdout)).toBeGreaterThan(0)
}
const failures = (stdout: string): string[] =>
  JSON.parse(stdout.slice(stdout.indexOf('{'))).testResults.flatMap(
    (file: { message: string; assertionResults: { failureMessages: string[] }[] }) => [
      file.message,
      ...file.assertionResults.flatMap(({ failureMessages }) => failureMessages),
    ],
  )

describe('packages of examples/, built outside of the tree on the packed package', () => {
  test.each([
    ['resolver-vault-style', 20],
    ['dns-provider-memory', 30],
  ])('%s compiles, proves itself and builds', (name, least) => {
    const folder = join(at.path, name)
    cpSync(join(tree, 'examples', name), folder, { recursive: true })
    prove(folder, least)
  })
})

describe('gateway new-plugin, of the packed package', () => {
  const make = (...args: string[]) => at.run(at.path, 'node', at.command, 'new-plugin', ...args)

  test.each([
    ['resolver', 'my-ca', 10],
    ['dns-provider', 'my-dns', 30],
    ['policy', 'my-rule', 3],
    ['service', 'x', 2],
  ])('writes a %s that passes its own tests at once', (kind, name, least) => {
    const { status, stdout } = make(kind, name)
    expect([status, stdout]).toEqual([0, expect.stringContaining(`cd ${name} && npm install && npm test`)])
    const folder = join(at.path, name)
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.ts')) expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/sample/i)
    prove(folder, least)
  })

  test('asks npm for the gateway that it is, where that came from a tarball', () => {
    const resolved = 'file:../zos-gateway-9.tgz'
    const lock = join(at.path, 'node_modules/.package-lock.json')
    const of = (name: string) =>
      JSON.parse(readFileSync(join(at.path, name, 'package.json'), 'utf8')).devDependencies['zos-gateway']
    expect(make('service', 'by-version').status).toBe(0)
    expect(of('by-version')).toMatch(/^\^\d/)
    writeFileSync(lock, JSON.stringify({ packages: { 'node_modules/zos-gateway': { resolved } } }))
    expect(make('service', 'by-tarball').status).toBe(0)
    expect(of('by-tarball')).toBe(`file:${join(at.path, '../zos-gateway-9.tgz')}`)
    rmSync(lock)
  })

  test.each([
    [['engine', 'x'], 'BAD_REQUEST'],
    [['resolvr', 'x'], 'did you mean resolver?'],
    [['policy', '../x'], 'BAD_REQUEST'],
    [['policy', 'X'], 'lower case'],
    [['policy', 'other', '.'], 'is not empty'],
  ] as const)('refuses %j', (args, said) => {
    const { status, stderr } = make(...args)
    expect([status, stderr]).toEqual([2, expect.stringContaining(said)])
    expect(existsSync(join(at.path, 'src'))).toBe(false)
  })
})

test('every file that docs/writing-a-plugin.md shows compiles and runs', async () => {
  const folder = join(at.path, 'page')
  expect(at.run(at.path, 'node', at.command, 'new-plugin', 'policy', 'page').status).toBe(0)
  const page = readFileSync(join(tree, 'docs/writing-a-plugin.md'), 'utf8')
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block = '']) => block)
  for (const block of blocks) {
    const [, file] = /^\/\/ (\S+\.ts)\n/.exec(block) ?? []
    expect([block.slice(0, 60), file]).toEqual([expect.anything(), expect.any(String)])
    mkdirSync(dirname(join(folder, file ?? '')), { recursive: true })
    writeFileSync(join(folder, file ?? ''), block)
  }
  expect(blocks.length).toBeGreaterThan(3)
  prove(folder, 24)
  const [http, https] = [await freePort(), await freePort()]
  const args = ['--config', 'gateway.config.ts', '--root', join(folder, 'state'), '--http', `${http}`, '--https', `${https}`]
  await using gateway = follow(process.execPath, [at.command, ...args], { cwd: folder, env: shell })
  await gateway.until('is up')
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})
