import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { bin, gatewayProcess } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { endKept } from '../kit/kept.ts'
import { dnsmasqPath, ipPath, traefikPath } from '../kit/programs.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { buildGo, jsonOf } from './go.ts'

const run = promisify(execFile)
const domain = 'gent01.grid.tf'
const host = `left.${domain}`

/** The preset with its own ports, which are free in a namespace of the test's own, and a CA that nobody runs. */
const config = `
import { defineGateway } from 'zos-gateway'
import { dnsmasq, importRoutes, traefik } from 'zos-gateway/plugins'
import { zos } from 'zos-gateway/presets'
export default defineGateway((flags) => {
  const { netns, root } = flags
  const own = [
    importRoutes({ from: [root + '/proxy'] }),
    dnsmasq({ command: '${dnsmasqPath()}', netns }),
    traefik({ command: '${traefikPath()}', netns, keepServing: true, acme: { caServer: 'https://127.0.0.1:9/dir' } }),
  ]
  return { plugins: zos(flags).map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin) }
})
`
const route = `http:
  routers: {40-1976-left-route: {rule: Host(\`${host}\`), service: 40-1976-left, tls: {certResolver: dnsresolver, domains: [{sans: ['*.${domain}']}]}}}
  services: {40-1976-left: {loadbalancer: {servers: [{url: 'http://127.0.0.1:9000'}]}}}
`

/** A network namespace that comes and goes, with a backend on port 9000 in it. */
const publicNamespace = () => {
  const name = `zosgw-${process.pid}`
  let backend: ChildProcess | undefined
  const remove = async () => {
    backend?.kill()
    await run(ipPath(), ['netns', 'del', name]).catch(() => undefined)
  }
  onTestFinished(remove)
  return {
    name,
    remove,
    async make(text: string) {
      await run(ipPath(), ['netns', 'add', name])
      await run(ipPath(), ['-n', name, 'link', 'set', 'lo', 'up'])
      const serve = `require('http').createServer((_, r) => r.end('${text}')).listen(9000, '127.0.0.1', () => console.log('up'))`
      backend = spawn(ipPath(), ['netns', 'exec', name, process.execPath, '-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] })
      if (backend.stdout) await once(backend.stdout, 'data')
    },
    /** What a client in there gets from the host. */
    async get(): Promise<string> {
      const curl = ['curl', '-sk', '--max-time', '5', '--resolve', `${host}:443:127.0.0.1`, `https://${host}/`]
      return run(ipPath(), ['netns', 'exec', name, ...curl]).then(({ stdout }) => stdout, String)
    },
  }
}

test.skipIf(process.getuid?.() !== 0)(
  'as root: the public side runs in a network namespace that comes later and is made anew, the gateway outside of it',
  async () => {
    const root = tempRoot('zos')
    const others = await otherModules({ 'network@0.0.1 GetPublicConfig': loopbackConfig(domain) })
    const there = publicNamespace()
    const file = join(root.path, 'gateway.config.mts')
    writeFileSync(file, config)
    mkdirSync(join(root.path, 'proxy'))
    writeFileSync(join(root.path, 'proxy', '40-1976-left.yaml'), route)
    onTestFinished(async () => {
      await endKept(root.path)
      await root.remove()
    })
    const flags = ['--config', file, '--root', root.path, '--broker', others.broker, '--netns', there.name]
    await using gateway = gatewayProcess(flags, { cwd: root.path })
    await gateway.until('is up: 1 routes')

    await there.make('first')
    await expect.poll(there.get, { timeout: 90_000, interval: 200 }).toBe('first')
    await there.remove()
    await there.make('second')
    await expect.poll(there.get, { timeout: 90_000, interval: 200 }).toBe('second')

    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect(await there.get()).toBe('second')
  },
)

test("the manual's command runs as it is, the preset chosen by a variable, on a node without a public config", async () => {
  const [root, programs] = [tempRoot('zos'), tempRoot('programs')]
  const others = await otherModules({ 'network@0.0.1 GetPublicConfig': 'error, no public config' })
  symlinkSync(traefikPath(), join(programs.path, 'traefik'))
  symlinkSync(dnsmasqPath(), join(programs.path, 'dnsmasq'))
  onTestFinished(async () => {
    await endKept(root.path)
    await root.remove()
    await programs.remove()
  })
  const env = { GATEWAY_PRESET: 'zos', GATEWAY_NETNS: `nobody-${process.pid}`, PATH: `${programs.path}:${process.env.PATH}` }
  await using gateway = gatewayProcess(['--broker', others.broker, '--root', root.path], { cwd: root.path, env })
  await gateway.until('is up: 0 routes')
  const caller = await buildGo(new URL('.', import.meta.url), 'caller')
  const calls = [{ do: 'metrics' }, { do: 'set-fqdn', id: '1-1-a', host: 'a.example.org', backends: ['http://10.1.2.3'] }]
  expect(await jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify(calls)])).toEqual([
    { metrics: { Request: {}, Response: {} }, error: '' },
    { error: expect.stringContaining('NO_PUBLIC_CONFIG: gateway is not supported on this node') },
  ])
  const told = JSON.parse((await run(process.execPath, [bin, 'status', '--root', root.path, '--json']).catch(said)).stdout)
  const engine = told.plugins.find(({ name }: { name: string }) => name === 'engine/traefik')
  expect([told.ready, engine.state]).toEqual([expect.any(Boolean), expect.stringMatching(/degraded|down/)])
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})

/** What a command wrote that ended with an error, as `status` does of a gateway that is not ready. */
const said = (error: unknown) => error as { readonly stdout: string }
