import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { gatewayProcess } from '../cli/gateway-process.ts'
import {
  createAuthority,
  type FakeDns,
  freePort,
  http1,
  httpBackend,
  openTls,
  type Pebble,
  startDns,
  startPebble,
  tempRoot,
} from '../kit/index.ts'
import { dnsmasqPath, traefikPath } from '../kit/programs.ts'
import { loopbackConfig, type Others, otherModules, type Say } from '../plugins/neighbours.ts'
import { tenantNetwork } from '../plugins/reach/networks.ts'
import { buildGo, jsonOf } from './go.ts'
import { domain, leaveRoute, leftHost, nodeConfig, nodeZinit } from './node.ts'

const publicConfig = 'network@0.0.1 GetPublicConfig'
const registration = 'api-gateway@0.0.1 GetContractIDByNameRegistration'
const contract = 'api-gateway@0.0.1 GetContract'
const getNet = 'network@0.0.1 GetNet'
const namespace = 'network@0.0.1 Namespace'
const decommission = 'provision@0.0.1 DecommissionCached'
/** What Pebble writes of an order. */
const newOrder = 'order-plz'
const garbage = Buffer.from('not msgpack')
/** Right, and behind the time that the gateway has for it. */
const tooLate: Say = () => new Promise((say) => void setTimeout(say, 4_000, '4711').unref())

let caller: string
let nnc: string
beforeAll(async () => {
  caller = await buildGo(new URL('.', import.meta.url), 'caller')
  nnc = await buildGo(new URL('.', import.meta.url), 'nnc')
})

interface Call {
  readonly do: 'set-name' | 'set-fqdn' | 'delete' | 'metrics'
  readonly id?: string
  readonly host?: string
  readonly backends?: readonly string[]
  readonly passthrough?: boolean
  readonly network?: string
}
interface Answer {
  readonly fqdn?: string
  readonly error: string
  readonly metrics?: { readonly Request: Record<string, number>; readonly Response: Record<string, number> }
}

/** What a machine of tests cannot have: port 53, a public resolver, the real Let's Encrypt, public backends. */
const instead = (o: { root: string; dns: FakeDns; ca: Pebble; zone: number; api: number; routes: number; relay: number }) => [
  'zosNode({ broker: flags.broker, timeout: 1, refresh: 0.2 })',
  "backends({ private: true, allow: ['127.0.0.0/8'] })",
  `pointsHere({ resolvers: ['${o.dns.address}'] })`,
  'nameContract({ timeout: 1, recheck: 1 })',
  `importRoutes({ from: ['${o.root}/proxy'] })`,
  `nnc({ command: '${nnc}', timeout: 1, drain: 1 })`,
  `dnsmasq({ command: '${dnsmasqPath()}', addresses: ['127.0.0.1'], port: ${o.zone} })`,
  `traefik({
      command: '${traefikPath()}',
      http: { host: '127.0.0.1', port: flags.http },
      https: { host: '127.0.0.1', port: flags.https },
      api: { port: ${o.api} },
      overHttp: { port: ${o.routes} },
      relay: { port: ${o.relay} },
      keepServing: true,
      env: { LEGO_CA_CERTIFICATES: '${o.ca.trustFile}' },
      acme: { email: 'letsencrypt@threefold.tech', caServer: '${o.ca.directory}', dns: { provider: 'exec', resolvers: ['${o.dns.address}'] } },
    })`,
]

/** A node under zinit, and what its networkd says of a public config. */
const node = async (said: Say = 'error, no public config') => {
  const root = tempRoot('zos')
  onTestFinished(() => root.remove())
  const zinit = nodeZinit(root.path)
  const [dns, others] = [await startDns(), await otherModules({ [publicConfig]: said })]
  const [http, https, api, zone, routes, relay] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const ca = await startPebble({ dns: dns.address, http })
  dns.set(domain, { A: ['127.0.0.1'] })
  dns.set('own.example.net', { A: ['127.0.0.1'] })
  dns.set('private.example.net', { A: ['127.0.0.1'] })
  dns.set('elsewhere.example.net', { A: ['192.0.2.1'] })
  dns.delegate(`_acme-challenge.${domain}`, `127.0.0.1:${zone}`)
  const own = instead({ root: root.path, dns, ca, zone, api, routes, relay })
  const boot = (id: string) => writeFileSync(join(root.path, 'boot_id'), id)
  const configure = (dropped = '') =>
    nodeConfig(root.path, [...own, zinit.plugin, `afterReboot({ bootId: '${root.path}/boot_id', ${dropped} })`])
  const config = configure()
  boot('first')
  await zinit.now.ready
  const flags = ['--config', config, '--root', root.path, '--broker', others.broker]
  const ports = ['--http', `${http}`, '--https', `${https}`, '--netns', 'none', '--supervisor', 'zinit']
  const start = () => gatewayProcess([...flags, ...ports], { cwd: root.path })
  onTestFinished(async () => {
    await Promise.all([ca.close(), dns.close()])
  })
  const ask = async (...calls: readonly Call[]): Promise<readonly Answer[]> =>
    (await jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify(calls)])) as Answer[]
  /** What a client of the CA's root gets from a host; of any certificate where `trust` is not given. */
  const get = async (host: string, trust?: string): Promise<string> => {
    const socket = await openTls({ port: https }, { name: host, ...(trust !== undefined && { ca: trust }) })
    try {
      return (await http1(socket).request('GET /', { Host: host })).text
    } finally {
      socket.destroy()
    }
  }
  return { root: root.path, others, start, ask, get, ca, https, boot, configure, zinit }
}
const until = async <T>(wanted: T, ask: () => Promise<T>) =>
  expect.poll(() => ask().catch(String), { timeout: 90_000, interval: 100 }).toEqual(wanted)

/** Milliseconds: a minute on a machine that does nothing else, and more than four where ten others want its two cores. */
const wholeLife = 900_000

test('a node from boot to delete: the preset of Zero-OS, called by Go, with its neighbours, Traefik, dnsmasq and a CA', {
  timeout: wholeLife,
}, async () => {
  const at = await node('silence')
  /** Asked again where a neighbour was slower than its second: this machine may be busy. */
  const answered = (calls: readonly Call[], wanted: readonly unknown[]) => until(wanted, () => at.ask(...calls))
  const [plain, tls] = [await httpBackend('terminated'), await tlsBackend()]
  onTestFinished(async () => {
    await Promise.all([plain.close(), tls.close()])
  })
  leaveRoute(at.root, plain.port)
  const script = join(at.root, 'cert.sh')
  writeFileSync(script, 'of the Go module')
  await using first = at.start()
  await first.until('is up: 1 routes')

  // Nobody of the node answers yet: what the Go module left is served, nothing new is taken, and nothing panics.
  await until('terminated', () => at.get(leftHost))
  const own: Call = { do: 'set-fqdn', id: '26-1-own', host: 'own.example.net', backends: [`http://127.0.0.1:${plain.port}`] }
  const shop: Call = { do: 'set-name', id: '26-4711-shop', host: 'shop', backends: [`http://127.0.0.1:${plain.port}`] }
  const vault: Call = {
    do: 'set-name',
    id: '26-4712-vault',
    host: 'vault',
    backends: [`127.0.0.1:${tls.port}`],
    passthrough: true,
  }
  for (const say of ['silence', garbage]) {
    at.others.say(publicConfig, say)
    expect(await at.ask(own)).toEqual([{ error: expect.stringContaining('NEIGHBOUR_UNAVAILABLE: ') }])
  }

  // networkd says that there is no public config.
  at.others.say(publicConfig, 'error, no public config')
  await answered(
    [own, shop, { do: 'metrics' }],
    [
      { error: expect.stringContaining('NO_PUBLIC_CONFIG: gateway is not supported on this node') },
      { fqdn: '', error: expect.stringContaining("NO_DOMAIN: node doesn't support name proxy (doesn't have a domain)") },
      { metrics: { Request: expect.any(Object), Response: expect.any(Object) }, error: '' },
    ],
  )

  // It appears; contracts are on the chain.
  at.others.say(publicConfig, loopbackConfig(domain))
  at.others.say(registration, '4711')
  at.others.say(contract, '4711 created, twin 26')
  await answered(
    [own, shop, vault],
    [{ error: '' }, { fqdn: `shop.${domain}`, error: '' }, { fqdn: `vault.${domain}`, error: '' }],
  )
  await answered(
    [
      { ...shop, id: '27-9-other', host: 'other' },
      { ...own, id: '26-2-elsewhere', host: 'elsewhere.example.net' },
      { ...own, id: '26-3-under', host: `under.${domain}` },
    ],
    [
      { fqdn: '', error: expect.stringContaining('NAME_NOT_RESERVED: failed to verify name contract: twin id mismatch') },
      {
        error: expect.stringContaining("DNS_MISMATCH: failed to verify domain dns record: host doesn't point to the gateway ip"),
      },
      { error: expect.stringContaining("can't create a fqdn workload with a subdomain of the gateway's managed domain") },
    ],
  )

  // Certificates of both resolvers, and a backend that ends TLS itself.
  const trust = await at.ca.root()
  await until('terminated', () => at.get(`shop.${domain}`, trust))
  await until('terminated', () => at.get('own.example.net', trust))
  await until('passed through', () => at.get(`vault.${domain}`))
  expect(at.ca.said()).toContain(newOrder)
  const counted = async () => {
    const [answer] = await at.ask({ do: 'metrics' })
    const { Response = {} } = answer?.metrics ?? {}
    return ['26-1-own', '26-4711-shop', '26-4712-vault'].map((id) => (Response[id] ?? 0) >= 'terminated'.length)
  }
  await until([true, true, true], counted)

  // Backends in a private network of the tenant, through an nnc that may die; networkd may be away, slow, wrong or refuse meanwhile.
  const network = process.getuid?.() === 0 ? await tenantNetwork() : undefined
  const secret: Call = {
    do: 'set-fqdn',
    id: '26-4713-private',
    host: 'private.example.net',
    backends: ['http://10.20.2.5:9000'],
    network: 'net',
  }
  if (network) {
    await network.serve('in the private network', 9000)
    at.others.say(getNet, '10.20.2.0/24')
    at.others.say(namespace, network.answer)
    await answered([secret], [{ error: '' }])
    await until('in the private network', () => at.get('private.example.net', trust))
    for (const [say, code] of [
      ['silence', 'NEIGHBOUR_UNAVAILABLE: '],
      [garbage, 'NEIGHBOUR_UNAVAILABLE: '],
      [network.answer, 'NEIGHBOUR_UNAVAILABLE: '],
      ['error, no such network', 'NETWORK_UNAVAILABLE: '],
    ] as const) {
      at.others.say(getNet, say)
      await answered([{ ...secret, backends: ['http://10.20.2.5:9001'] }], [{ error: expect.stringContaining(code) }])
    }
    expect(await at.get('private.example.net', trust)).toBe('in the private network')
    process.kill(await at.zinit.now.pidOf('nnc-26-4713-private'), 'SIGKILL')
    expect(await at.get('own.example.net', trust)).toBe('terminated')
    await until('in the private network', () => at.get('private.example.net', trust))
    at.others.say(getNet, '10.20.2.0/24')
  }

  // The gateway goes and comes back: Traefik serves on, and is taken over.
  const traefik = await at.zinit.now.pidOf('traefik')
  first.signal('SIGTERM')
  expect(await first.ended).toBe(0)
  expect(await at.get(`shop.${domain}`, trust)).toBe('terminated')
  await using second = at.start()
  await second.until(`is up: ${network ? 5 : 4} routes`)
  if (network) expect(await at.get('private.example.net', trust)).toBe('in the private network')
  expect(await at.zinit.now.pidOf('traefik')).toBe(traefik)

  // The chain goes, or is worse than gone: nothing new, and nothing is taken away.
  for (const say of ['chain down', 'silence', garbage, tooLate]) {
    at.others.say(registration, say)
    expect(await at.ask({ ...shop, id: '26-5-late', host: 'late' })).toEqual([
      { fqdn: '', error: expect.stringContaining('NEIGHBOUR_UNAVAILABLE: ') },
    ])
  }
  expect(await at.get(`shop.${domain}`, trust)).toBe('terminated')

  // Redis goes and comes back: traffic does not notice, and callers are answered again.
  await at.others.stopRedis()
  expect(await at.get(`shop.${domain}`, trust)).toBe('terminated')
  await at.others.startRedis()
  await answered([own], [{ error: '' }])

  // The contract of the names is lost: provisiond is told, and takes them away by our own Delete.
  const told = taken(at.others, at.ask)
  at.others.say(contract, '4711 deleted, twin 26')
  at.others.say(registration, '4711')
  expect(await told).toEqual(new Set(['26-4711-shop', '26-4712-vault', '40-1976-left']))
  expect(await at.get('own.example.net', trust)).toBe('terminated')
  await until('404 page not found\n', () => at.get(`shop.${domain}`))

  // The names are reserved again, and set again.
  at.others.say(contract, '4711 created, twin 26')
  await answered(
    [shop, vault],
    [
      { fqdn: `shop.${domain}`, error: '' },
      { fqdn: `vault.${domain}`, error: '' },
    ],
  )
  await until('passed through', () => at.get(`vault.${domain}`))
  second.signal('SIGTERM')
  expect(await second.ended).toBe(0)

  // The node reboots: all are served at once, before provisiond says anything, which then has no more use for one, and is refused another.
  await at.zinit.reboot()
  at.boot('second')
  await using third = at.start()
  await third.until(`is up: ${network ? 4 : 3} routes`)
  await until('terminated', () => at.get('own.example.net', trust))
  await until('passed through', () => at.get(`vault.${domain}`))
  if (network) await until('in the private network', () => at.get('private.example.net', trust))
  await answered([own, ...(network ? [secret] : [])], [{ error: '' }, ...(network ? [{ error: '' }] : [])])
  at.others.say(registration, 'not found')
  at.others.say(decommission, 'error')
  await answered([vault], [{ fqdn: '', error: expect.stringContaining('NAME_NOT_RESERVED: ') }])
  await until(undefined, () => at.get(`vault.${domain}`).then(served, () => undefined))
  third.signal('SIGTERM')
  expect(await third.ended).toBe(0)
  at.configure('within: 0.5, thenDrop: 0.5')
  await using fourth = at.start()
  await until('404 page not found\n', () => at.get(`shop.${domain}`))
  expect(await at.get('own.example.net', trust)).toBe('terminated')

  const deletes = [own, secret].map(({ id }): Call => ({ do: 'delete', ...(id !== undefined && { id }) }))
  expect(await at.ask(...deletes, { do: 'delete', id: 'never-set' })).toEqual([{ error: '' }, { error: '' }, { error: '' }])
  await until('404 page not found\n', () => at.get('own.example.net'))
  await until('404 page not found\n', () => at.get('private.example.net'))
  await until([], async () => (await at.zinit.now.units()).filter((name) => name.startsWith('nnc-')))
  fourth.signal('SIGTERM')
  expect(await fourth.ended).toBe(0)

  // Nobody else was asked, flistd included, and what was the Go module's alone is as it was.
  const modules = at.others.asked.map((asked) => asked.split('@')[0])
  expect(new Set(modules)).toEqual(new Set(['network', 'api-gateway', 'provision']))
  expect([readFileSync(script, 'utf8'), existsSync(join(at.root, 'dnsmasq.conf'))]).toEqual(['of the Go module', false])
})

test("the certificates that the Go module's Traefik got are served at once, and none is ordered", async () => {
  const at = await node()
  const backend = await httpBackend('terminated')
  onTestFinished(() => backend.close())
  leaveRoute(at.root, backend.port)
  const authority = await createAuthority()
  // Traefik renews what ends within 30 days.
  const { chain, key } = await authority.issue([`*.${domain}`], 80)
  // As Traefik 2 and 3 write it.
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const kept = { domain: { main: `*.${domain}` }, certificate: base64(chain), key: base64(key), Store: 'default' }
  mkdirSync(join(at.root, 'traefik'))
  const file = join(at.root, 'traefik', 'acme2.json')
  writeFileSync(file, JSON.stringify({ dnsresolver: { Account: null, Certificates: [kept] } }), { mode: 0o644 })
  await using gateway = at.start()
  await gateway.until('is up: 1 routes')
  await until('terminated', () => at.get(leftHost, authority.root))
  expect(at.ca.said()).not.toContain(newOrder)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
})

/** provisiond, which answers only after it called our Delete; the ids that it was told, once there are three. */
const taken = (others: Others, ask: (...calls: readonly Call[]) => Promise<unknown>) =>
  new Promise<ReadonlySet<string>>((done) => {
    const ids = new Set<string>()
    others.say(decommission, async (request) => {
      const id = Buffer.from(request.inputs[0] ?? [])
        .subarray(1)
        .toString()
      await ask({ do: 'delete', id })
      if (ids.add(id).size === 3) done(ids)
      return 'ok'
    })
  })

/** The text of an answer that a workload gave. */
const served = (text: string) => (text.startsWith('404') ? undefined : text)

const tlsBackend = async () => httpBackend('passed through', { tls: await (await createAuthority()).issue([`vault.${domain}`]) })
