import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { dnsmasqPath, traefikPath } from '../kit/programs.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { tenantNetwork } from '../plugins/reach/networks.ts'
import { buildGo, jsonOf } from './go.ts'
import { domain, leaveRoute, leftHost, nodeConfig, nodeZinit, publicNamespace } from './node.ts'
import { loadedByModule, moduleFolders } from './reference.ts'

const id = '26-4711-shop'

test.skipIf(process.getuid?.() !== 0)(
  'as root: the public side runs under zinit in a network namespace that comes later and is made anew, the gateway outside of it',
  async () => {
    const root = tempRoot('zos')
    onTestFinished(() => root.remove())
    const [there, network, node] = [publicNamespace(), await tenantNetwork(), nodeZinit(root.path)]
    const zinit = node.now
    const here = new URL('.', import.meta.url)
    const [caller, nnc, reference] = [await buildGo(here, 'caller'), await buildGo(here, 'nnc'), await buildGo(here, 'reference')]
    const others = await otherModules({
      'network@0.0.1 GetPublicConfig': loopbackConfig(domain),
      'network@0.0.1 GetNet': '10.20.2.0/24',
      'network@0.0.1 Namespace': network.answer,
      'api-gateway@0.0.1 GetContractIDByNameRegistration': '4711',
      'api-gateway@0.0.1 GetContract': '4711 created, twin 26',
    })
    await network.serve('private', 9000)
    await zinit.ready
    // One of the node's own.
    writeFileSync(join(zinit.folder, 'networkd.yaml'), 'exec: sleep 1000\n')
    await zinit.ask('monitor networkd')
    const netns = `netns: '${there.name}'`
    const file = nodeConfig(root.path, [
      `importRoutes({ from: ['${root.path}/proxy'] })`,
      node.plugin,
      `nnc({ command: '${nnc}', drain: 1, ${netns} })`,
      `dnsmasq({ command: '${dnsmasqPath()}', ${netns} })`,
      `traefik({ command: '${traefikPath()}', keepServing: true, acme: { caServer: 'https://127.0.0.1:9/dir' }, ${netns} })`,
    ])
    leaveRoute(root.path, 9000)
    const flags = [
      '--config',
      file,
      '--root',
      root.path,
      '--broker',
      others.broker,
      '--netns',
      there.name,
      '--supervisor',
      'zinit',
    ]
    await using gateway = gatewayProcess(flags, { cwd: root.path })
    await gateway.until('is up: 1 routes')
    /** The gateway's own, by their files. */
    const units = () =>
      readdirSync(zinit.folder).flatMap((name) => (name === 'networkd.yaml' ? [] : name.slice(0, -'.yaml'.length)))
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
    zinit.away()
    expect(await there.get(`shop.${domain}`)).toBe('private')
    expect(await ask({ ...set, backends: ['http://10.20.2.5:9001'] })).toEqual([
      { fqdn: '', error: expect.stringContaining('NETWORK_UNAVAILABLE: ') },
    ])
    expect(await there.get(`shop.${domain}`)).toBe('private')
    const plain = { do: 'set-name', id: '26-4712-plain', host: 'plain', backends: ['http://10.20.2.5:9000'] }
    expect(await ask(plain)).toEqual([{ fqdn: `plain.${domain}`, error: '' }])
    expect(await ask({ do: 'delete', id: plain.id })).toEqual([{ error: '' }])
    zinit.back()

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

    // Back to the Go module: what it starts from is there, and no unit of the gateway's any more.
    expect(await ask(set)).toEqual([{ fqdn: `shop.${domain}`, error: '' }])
    await served('private', `shop.${domain}`)
    again.signal('SIGTERM')
    expect(await again.ended).toBe(0)
    const module = moduleFolders()
    const back = async () => {
      const verb = ['rollback', '--config', file, '--root', root.path, '--volatile', module.volatile, '--supervisor', 'zinit']
      await using done = gatewayProcess(verb, { cwd: root.path })
      return [await done.ended, done.stdout, done.stderr]
    }
    const left = readdirSync(join(root.path, 'proxy'))
    zinit.away()
    expect(await back()).toEqual([69, '', expect.stringContaining('the units of this gateway cannot be ended: zinit at')])
    expect(readdirSync(join(root.path, 'proxy'))).toEqual(left)
    zinit.back()
    expect(await there.get()).toBe('second')
    const bridgeEnds = `not left: ${id} (shop.${domain}): its bridge into the private network 'net' ends; have it set again`
    expect(await back()).toEqual([2, expect.stringMatching(/ended traefik \(pid \d+\)/), expect.stringContaining(bridgeEnds)])
    expect([await zinit.units(), readdirSync(zinit.folder)]).toEqual([['networkd'], ['networkd.yaml']])
    expect(await loadedByModule(reference, { ...module, root: root.path })).toEqual({
      domains: { [leftHost]: '40-1976-left' },
      refused: [],
    })
  },
)
