import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { follow } from '../cli/gateway-process.ts'
import { buildGo, jsonOf } from '../interop/go.ts'
import { type Root, tempRoot } from '../kit/index.ts'
import { endKept, keptChildren } from '../kit/kept.ts'
import { dnsmasqPath } from '../kit/programs.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { freshCopy } from './fresh-copy.ts'

const run = promisify(execFile)
const domain = 'gent01.grid.tf'
const host = `shop.${domain}`
const address = '10.20.2.5'

let home: Root
let bundle: string
beforeAll(() => {
  home = tempRoot('bundle')
  bundle = join(home.path, 'made')
  const copy = freshCopy({ installed: true })
  execFileSync(process.execPath, ['tools/bundle.mjs', bundle], { cwd: copy.path, stdio: ['ignore', 'pipe', 'inherit'] })
  // It compiles and installs: a minute, and several where others want the machine too.
}, 1_200_000)
afterAll(() => home.remove())

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path)).isFile())

test('the manifest has the versions and the hash of every file', () => {
  const manifest = JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8'))
  expect(manifest).toMatchObject({ name: 'zos-gateway', node: process.versions.node, traefik: expect.stringMatching(/^3\./) })
  const hashes = Object.fromEntries(
    files(bundle)
      .filter((path) => path !== 'manifest.json')
      .map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(join(bundle, path)))
          .digest('hex'),
      ]),
  )
  expect(manifest.files).toEqual(hashes)
  expect(
    Object.keys(hashes).filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && /^lib\/zos-gateway\/(core|cli)/.test(path),
    ),
  ).toEqual([])
})

/** A machine that has a C library, dnsmasq and no more: the root of its file system. */
const emptyMachine = () => {
  const machine = join(home.path, 'machine')
  for (const folder of ['proc', 'dev', 'tmp', 'etc', 'var/run', 'var/cache/modules/gateway', 'opt'])
    mkdirSync(join(machine, folder), { recursive: true })
  // Where it was made is not where it runs.
  cpSync(bundle, join(machine, 'opt/gw'), { recursive: true })
  writeFileSync(join(machine, 'etc/passwd'), 'root:x:0:0::/:/\nnobody:x:65534:65534::/:/\n')
  const add = (from: string, to: string) => {
    mkdirSync(dirname(join(machine, to)), { recursive: true })
    cpSync(realpathSync(from), join(machine, to))
  }
  add(dnsmasqPath(), 'usr/sbin/dnsmasq')
  const needed =
    execFileSync('ldd', [dnsmasqPath()], { encoding: 'utf8' }) +
    execFileSync('ldd', [join(bundle, 'bin/node')], { encoding: 'utf8' })
  for (const [, path = ''] of needed.matchAll(/(\/\S+) \(0x/g)) if (!/libstdc|libgcc/.test(path)) add(path, path.slice(1))
  return machine
}

/** Enters the machine, in a network of its own where every port is free. */
const enter = (redis: string) => `
set -e
ip link set lo up
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount --bind ${redis} "$0/var/run"
exec chroot "$0" /opt/gw/bin/gateway --broker unix:///var/run/redis.sock --root /var/cache/modules/gateway
`

test("it runs the manual's command on a machine with nothing installed: a name is set over zbus and served by its Traefik", async () => {
  const machine = emptyMachine()
  const root = join(machine, 'var/cache/modules/gateway')
  const others = await otherModules({
    'network@0.0.1 GetPublicConfig': loopbackConfig(domain),
    'api-gateway@0.0.1 GetContractIDByNameRegistration': '4711',
    'api-gateway@0.0.1 GetContract': '4711 created, twin 26',
  })
  const env = { PATH: '/usr/sbin', GATEWAY_PRESET: 'zos', GATEWAY_NETNS: 'none' }
  const own = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const redis = dirname(new URL(others.broker).pathname)
  // PATH is for the tools that enter it: in there it names a folder with dnsmasq alone.
  const tools = '/usr/sbin:/usr/bin:/sbin:/bin'
  const script = enter(redis).replace(
    'exec chroot',
    'exec env -i PATH=/usr/sbin GATEWAY_PRESET=zos GATEWAY_NETNS=none $(command -v chroot)',
  )
  await using gateway = follow('unshare', [...own, '--mount', '--net', 'sh', '-c', script, machine], {
    cwd: '/',
    env: { ...env, PATH: tools },
  })
  onTestFinished(() => endKept(root))
  await gateway.until('is up: 0 routes')
  expect(readlinkSync(`/proc/${gateway.pid}/exe`)).toMatch(/\/opt\/gw\/bin\/node$/)

  const user = own.length ? ['--user', '--preserve-credentials'] : []
  const inNetworkOf = ({ pid }: { readonly pid: number }, ...command: string[]) => [
    ...user,
    '--target',
    `${pid}`,
    '--net',
    ...command,
  ]
  const inside = (...command: string[]) => run('nsenter', inNetworkOf(gateway, ...command))
  // The workload is on the other side of a veth pair: no address of the machine itself is a backend.
  const serve = `require('http').createServer((_, r) => r.end('from the backend')).listen(9000, () => console.log('up'))`
  await using backend = follow('nsenter', inNetworkOf(gateway, 'unshare', '--net', process.execPath, '-e', serve), { cwd: '/' })
  await backend.until('up')
  await inside('ip', 'link', 'add', 'workload', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${backend.pid}`)
  for (const [place, link, own] of [
    [gateway, 'workload', '10.20.2.1'],
    [backend, 'eth0', address],
  ] as const) {
    await run('nsenter', inNetworkOf(place, 'ip', 'addr', 'add', `${own}/24`, 'dev', link))
    await run('nsenter', inNetworkOf(place, 'ip', 'link', 'set', link, 'up'))
  }

  const caller = await buildGo(new URL('../interop/', import.meta.url), 'caller')
  const set = { do: 'set-name', id: '26-4711-shop', host: 'shop', backends: [`http://${address}:9000`] }
  expect(await jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify([set])])).toEqual([{ fqdn: host, error: '' }])
  const get = () =>
    inside('curl', '-sk', '--max-time', '5', '--resolve', `${host}:443:127.0.0.1`, `https://${host}/`).then(
      ({ stdout }) => stdout,
      String,
    )
  await expect.poll(get, { timeout: 90_000, interval: 200 }).toBe('from the backend')

  const traefik = keptChildren(root).get('traefik')
  expect(readlinkSync(`/proc/${traefik}/exe`)).toMatch(/\/opt\/gw\/bin\/traefik$/)
  expect(readFileSync(`/proc/${traefik}/environ`, 'latin1').split('\0')).toContain('EXEC_PATH=/opt/gw/bin/gateway-dns-hook')
  // The hook is a command of the bundle too, and answers without the gateway.
  const hook = await run(join(bundle, 'bin/gateway-dns-hook'), ['timeout'], { env: {} })
  expect(JSON.parse(hook.stdout)).toEqual({ timeout: 60, interval: 1 })

  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})
