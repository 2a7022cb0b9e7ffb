import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { dnsmasqPath, ipPath, traefikPath } from '../kit/programs.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { tenantNetwork } from '../plugins/reach/networks.ts'
import { startZinit } from '../plugins/service/zinit/start.ts'
import { buildGo, jsonOf } from './go.ts'

const run = promisify(execFile)
const domain = 'gent01.grid.tf'
const host = `left.${domain}`
const id = '26-4711-shop'

/** The preset with its own ports, which are free in a namespace of the test's own, and a CA that nobody runs. */
const configOf = (o: { socket: string; folder: string; nnc: string }) => `
import { defineGateway } from 'zos-gateway'
import { dnsmasq, importRoutes, nnc, traefik, zinit } from 'zos-gateway/plugins'
import { zos } from 'zos-gateway/presets'
export default defineGateway((flags) => {
  const { netns, root } = flags
  const own = [
    importRoutes({ from: [root + '/proxy'] }),
    zinit({ socket: '${o.socket}', folder: '${o.folder}' }),
    nnc({ command: '${o.nnc}', netns, drain: 1 }),
    dnsmasq({ command: '${dnsmasqPath()}', netns }),
    traefik({ command: '${traefikPath()}', netns, keepServing: true, acme: { caServer: 'https://127.0.0.1:9/dir' } }),
  ]
  const instead = { 'service/processes': 'service/zinit' }
  return { plugins: zos(flags).map((plugin) => own.find(({ name }) => name === (instead[plugin.name] ?? plugin.name)) ?? plugin) }
})
`
const route = `http:
  routers: {40-1976-left-route: {rule: Host(\`${host}\`), service: 40-1976-left, tls: {certResolver: dnsresolver, domains: [{sans: ['*.${domain}']}]}}}
  services: {40-1976-left: {loadbalancer: {servers: [{url: 'http://127.0.0.1:9000'}]}}}
`

/** A network namespace that comes and goes, with a backend on port 9000 in it. */
const publicNamespace = () => {
  const name = `zosgw-zi-${process.pid}`
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
    /** What a client in there gets from a host. */
    async get(site = host): Promise<string> {
      const curl = ['curl', '-sk', '--max-time', '5', '--resolve', `${site}:443:127.0.0.1`, `https://${site}/`]
      return run(ipPath(), ['netns', 'exec', name, ...curl]).then(({ stdout }) => stdout, String)
    },
  }
}

test.skipIf(process.getuid?.() !== 0)(
  'as root: the public side runs under zinit in a network namespace that comes later and is made anew, the gateway outside of it',
  async () => {
    const root = tempRoot('zos')
    const [there, network, zinit] = [publicNamespace(), await tenantNetwork(), startZinit(root.path)]
    const here = new URL('.', import.meta.url)
    const [caller, nnc] = [await buildGo(here, 'caller'), await buildGo(here, 'nnc')]
    const others = await otherModules({
      'network@0.0.1 GetPublicConfig': loopbackConfig(domain),
      'network@0.0.1 GetNet': '10.20.2.0/24',
      'network@0.0.1 Namespace': network.answer,
      'api-gateway@0.0.1 GetContractIDByNameRegistration': '4711',
      'api-gateway@0.0.1 GetContract': '4711 created, twin 26',
    })
    await network.serve('private', 9000)
    await zinit.ready
    const file = join(root.path, 'gateway.config.mts')
    writeFileSync(file, configOf({ socket: zinit.socket, folder: zinit.folder, nnc }))
    mkdirSync(join(root.path, 'proxy'))
    writeFileSync(join(root.path, 'proxy', '40-1976-left.yaml'), route)
    onTestFinished(async () => {
      await zinit.close()
      await root.remove()
    })
    const flags = ['--config', file, '--root', root.path, '--broker', others.broker, '--netns', there.name]
    await using gateway = gatewayProcess(flags, { cwd: root.path })
    await gateway.until('is up: 1 routes')
    const units = () => readdirSync(zinit.folder).map((name) => name.slice(0, -'.yaml'.length))
    const execOf = (name: string): string => parse(readFileSync(join(zinit.folder, `${name}.yaml`), 'utf8')).exec
    const ask = (call: object) => jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify([call])])
    const served = (text: string, name?: string) =>
      expect.poll(() => there.get(name), { timeout: 90_000, interval: 200 }).toBe(text)

    await there.make('first')
    await served('first')
    const set = { do: 'set-name', id, host: 'shop', backends: ['http://10.20.2.5:9000'], network: 'net' }
    expect(await ask(set)).toEqual([{ fqdn: `shop.${domain}`, error: '' }])
    await served('private', `shop.${domain}`)
    expect(units()).toEqual(expect.arrayContaining(['traefik', `nnc-${id}`]))
    for (const name of units()) expect(execOf(name)).toMatch(new RegExp(`^ip netns exec ${there.name} /`))
    expect(execOf(`nnc-${id}`)).toMatch(
      / --listen 127\.0\.0\.1:\d+ --namespace \/var\/run\/netns\/\S+ --target 10\.20\.2\.5:9000$/,
    )

    // zinit is away: what runs goes on, and what is asked for meanwhile comes about when it is back.
    zinit.process.kill('SIGUSR2')
    await expect.poll(() => existsSync(zinit.socket), { timeout: 60_000 }).toBe(false)
    expect(await there.get(`shop.${domain}`)).toBe('private')
    expect(await ask({ ...set, backends: ['http://10.20.2.5:9001'] })).toEqual([
      { fqdn: '', error: expect.stringContaining('NETWORK_UNAVAILABLE: ') },
    ])
    expect(await there.get(`shop.${domain}`)).toBe('private')
    zinit.process.kill('SIGUSR2')

    // The namespace vanishes and is made anew: Traefik and nnc follow.
    await there.remove()
    await there.make('second')
    await served('second')
    await served('private', `shop.${domain}`)

    // The gateway goes; what serves stays, and is taken over.
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect([await there.get(), await there.get(`shop.${domain}`)]).toEqual(['second', 'private'])
    const before = units().map((name) => readFileSync(join(zinit.folder, `${name}.yaml`), 'utf8'))
    await using again = gatewayProcess(flags, { cwd: root.path })
    await again.until('is up: 2 routes')
    expect(await there.get(`shop.${domain}`)).toBe('private')
    for (const unit of before.filter((text) => /traefik --|nnc/.test(text)))
      expect(units().map((name) => readFileSync(join(zinit.folder, `${name}.yaml`), 'utf8'))).toContain(unit)
    expect(await ask({ do: 'delete', id })).toEqual([{ error: '' }])
    await expect.poll(units, { timeout: 60_000 }).not.toContain(`nnc-${id}`)
    await served('404 page not found\n', `shop.${domain}`)
    again.signal('SIGTERM')
    expect(await again.ended).toBe(0)
  },
)
