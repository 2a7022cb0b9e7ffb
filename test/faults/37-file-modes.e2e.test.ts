import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { bin, follow, gatewayProcess } from '../cli/gateway-process.ts'
import { freePort, tempRoot } from '../kit/index.ts'
import { fault } from './fault.ts'

const place = async (more = '') => {
  const folder = tempRoot('modes')
  onTestFinished(folder.remove)
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(
    join(folder.path, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { embedded } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
const engine = embedded({ http: { port: ${http} }, https: { port: ${https} }, accessLog: '${join(folder.path, 'root', 'access.log')}' })
export default defineGateway((flags) => ({
  plugins: [...local(flags).filter(({ name }) => name !== 'transport/zbus').map((plugin) => (plugin.name === engine.name ? engine : plugin)), ${more}],
}))
`,
  )
  const root = join(folder.path, 'root')
  const set = async () => {
    const answer = await fetch(`http://127.0.0.1:${api}/v1/workloads/1-1-a`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'a', backends: ['http://127.0.0.1:9'] }),
    })
    expect(answer.status).toBe(201)
  }
  return { folder: folder.path, root, args: ['--root', root, '--api', `${api}`], set }
}

/** Every entry below a folder with its mode. */
const sweep = (folder: string): readonly (readonly [path: string, kind: string, mode: string])[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    const mode = (lstatSync(path).mode & 0o777).toString(8)
    const kind = entry.isDirectory() ? 'folder' : entry.isSocket() ? 'socket' : 'file'
    return [[path, kind, mode] as const, ...(entry.isDirectory() ? sweep(path) : [])]
  })
/** The root certificate is for everybody to read, behind a folder that is not. */
const isOpen = ([path, kind, mode]: readonly [string, string, string]) =>
  !(kind === 'folder' ? ['700'] : path.endsWith('/root.pem') ? ['600', '644'] : ['600']).includes(mode)

for (const upgradable of [false, true])
  fault(
    37,
    `with umask 000 ${upgradable ? 'and a parent that holds the sockets ' : ''}every file and socket below the root is 0600, every folder 0700`,
    async () => {
      const { folder, root, args, set } = await place()
      const words = [process.execPath, bin, ...args, ...(upgradable ? ['--upgradable'] : [])]
      const gateway = follow('/bin/sh', ['-c', 'umask 000; exec "$@"', 'sh', ...words], { cwd: folder })
      onTestFinished(async () => {
        gateway.signal('SIGTERM')
        await gateway.ended
      })
      await gateway.until('is up')
      await set()
      expect((lstatSync(root).mode & 0o777).toString(8)).toBe('700')
      const found = sweep(root)
      expect(found.length).toBeGreaterThan(8)
      expect(found.some(([path]) => path.endsWith('root.key'))).toBe(true)
      expect(found.filter(([, kind]) => kind === 'socket').length).toBe(upgradable ? 2 : 1)
      expect(found.filter(isOpen)).toEqual([])
    },
  )

fault(37, 'a link planted where the gateway writes is refused or replaced, never followed', async () => {
  const { folder, root, args } = await place()
  const outside = join(folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'victim'), 'untouched')
  const start = async () => {
    await using gateway = gatewayProcess(args, { cwd: folder })
    const ended = await Promise.race([gateway.ended, gateway.until('is up').then(() => 'up' as const)])
    if (ended === 'up') {
      gateway.signal('SIGTERM')
      await gateway.ended
    }
    return { ended, said: gateway.stderr }
  }
  mkdirSync(root, { mode: 0o700 })
  // The folder of the store.
  symlinkSync(outside, join(root, 'state'))
  expect(await start()).toMatchObject({ ended: 73, said: expect.stringMatching(/ROOT_UNUSABLE.*is a symbolic link/) })
  expect(readdirSync(outside)).toEqual(['victim'])
  rmSync(join(root, 'state'))
  // Its files, its sockets, its log: a file elsewhere must not be written.
  for (const name of ['gateway.sock', 'access.log']) {
    rmSync(join(root, name), { force: true })
    symlinkSync(join(outside, 'victim'), join(root, name))
    await start()
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched')
    rmSync(join(root, name), { force: true })
  }
  expect((await start()).ended).toBe('up')
  symlinkSync(join(outside, 'victim'), join(root, 'state', 'LOG.old.1'))
  expect(await start()).toMatchObject({ ended: 73, said: expect.stringContaining('is a symbolic link') })
  expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched')
})

fault(37, 'it does not start where others could have read private keys, and says what to do', async () => {
  const { folder, root, args } = await place()
  {
    await using gateway = gatewayProcess(args, { cwd: folder })
    await gateway.until('is up')
    gateway.signal('SIGTERM')
    await gateway.ended
  }
  chmodSync(join(root, 'state'), 0o755)
  await using refused = gatewayProcess(args, { cwd: folder })
  expect(await refused.ended).toBe(73)
  expect(refused.stderr).toMatch(/ROOT_UNUSABLE: .*open to others \(mode 755\) \(run: chmod 700/)
  expect(existsSync(join(root, 'gateway.sock'))).toBe(false)
})

fault(37, 'the DNS hook can be changed by nobody but its owner', async () => {
  const { mode } = lstatSync(new URL('../../bin/gateway-dns-hook.js', import.meta.url))
  expect((mode & 0o022).toString(8)).toBe('0')
  expect(mode & 0o111).not.toBe(0)
  const child = spawn(process.execPath, [new URL('../../bin/gateway-dns-hook.js', import.meta.url).pathname, 'timeout'])
  expect(await new Promise((done) => child.once('exit', done))).toBe(0)
})
