import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createClient } from '../../../lib/zbus/index.ts'
import { localCa, responder, zbus } from '../../../plugins/index.ts'
import { type AcmeWorld, freePort, http1, openTls, startAcmeWorld, startRedis } from '../../kit/index.ts'
import { domain, type Served, serve } from './acme-parts.ts'

const hour = 3_600_000
const day = 24 * hour
let world: AcmeWorld
let served: Served | undefined
let ca: string
beforeAll(async () => {
  world = await startAcmeWorld({ nonceReject: 20 })
  ca = await world.pebble.root()
  for (const name of ['shop.example', 'other.example', 'alpn.example', 'zbus.example']) world.dns.set(name, { A: ['127.0.0.1'] })
})
afterEach(async () => {
  vi.useRealTimers()
  world.faults.fault = () => undefined
  await served?.close()
  served = undefined
})
afterAll(() => world.close())

test('a domain of its own is served by a certificate of its own, over http-01', async () => {
  served = await serve(world)
  await served.fqdn('shop.example')
  expect(await served.seen('shop.example', ca)).toMatchObject({ names: 'DNS:shop.example' })
})

test('a Set over zbus leads to a handshake that a client of the CA accepts, for both kinds of workload', async () => {
  const redis = await startRedis()
  const client = createClient({ broker: redis.broker.unix })
  try {
    served = await serve(world, { more: [zbus({ broker: redis.broker.unix })] })
    const call = (method: string, ...args: unknown[]) =>
      client.call('gateway', { name: 'gateway', version: '0.0.1' }, method, args)
    await call('SetFQDNProxy', '1-2-zbus', 'zbus.example', [served.backend.url], false)
    expect(await call('SetNamedProxy', '1-2-named', 'named', [served.backend.url], false)).toBe(`named.${domain}`)
    const seen = (host: string) => served?.seen(host, ca).catch(String)
    await expect.poll(() => seen('zbus.example'), { timeout: 60_000 }).toMatchObject({ names: 'DNS:zbus.example' })
    await expect.poll(() => seen(`named.${domain}`), { timeout: 60_000 }).toMatchObject({ names: `DNS:*.${domain}` })
  } finally {
    client.close()
    await served?.close()
    served = undefined
    await redis.close()
  }
})

test('the same over tls-alpn-01, where port 80 is closed', async () => {
  served = await serve(world, { http: { challenge: 'tls-alpn-01' } })
  await served.fqdn('alpn.example')
  expect(await served.seen('alpn.example', ca)).toMatchObject({ names: 'DNS:alpn.example' })
})

test('names under the domain share one wildcard, by a name server of the node’s own that the zone delegates to', async () => {
  const port = await freePort()
  world.dns.delegate(`_acme-challenge.${domain}`, `127.0.0.1:${port}`)
  try {
    served = await serve(world, { dns: responder({ addresses: ['127.0.0.1'], port }) })
    await Promise.all([served.name('one'), served.name('two')])
    expect(await served.seen(`one.${domain}`, ca)).toMatchObject({ names: `DNS:*.${domain}` })
    expect(await served.seen(`two.${domain}`, ca)).toMatchObject({ names: `DNS:*.${domain}` })
    expect(served.gateway.certificates.list()).toHaveLength(1)
  } finally {
    world.dns.delegate(`_acme-challenge.${domain}`)
  }
})

test('account and certificates outlive the gateway: a restart asks the CA for nothing', async () => {
  served = await serve(world)
  await served.fqdn('shop.example')
  const before = await served.seen('shop.example', ca)
  const { root } = served
  await served.close()
  const asked = world.faults.asked.length
  served = await serve(world, { root })
  expect(await served.seen('shop.example', ca)).toEqual(before)
  await served.fqdn('other.example')
  const since = world.faults.asked.slice(asked)
  expect(since.filter((each) => each.includes('sign-me-up'))).toEqual([])
  expect(since.filter((each) => each === 'POST /order-plz').length).toBeGreaterThan(0)
})

test('the window that the CA gives is obeyed, and renewal harms no open connection', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  served = await serve(world)
  await served.fqdn('shop.example')
  const first = await served.seen('shop.example', ca)
  const client = http1(await openTls({ port: world.https }, { name: 'shop.example', ca }))
  expect((await client.request('GET /', { Host: 'shop.example' })).status).toBe(200)
  const start = Date.now() + 3 * day
  const chain = served.certificate('shop.example')?.certificate?.chain ?? ''
  const window = { start: new Date(start).toISOString(), end: new Date(start + hour).toISOString() }
  await world.pebble.setRenewal(chain, { suggestedWindow: window })

  const next = () => served?.certificate('shop.example')?.next?.getTime() ?? 0
  vi.setSystemTime(Date.now() + 7 * hour)
  await expect.poll(next, { timeout: 20_000 }).toBeLessThanOrEqual(start + hour)
  expect(next()).toBeGreaterThanOrEqual(start)
  vi.setSystemTime(start - 60_000)
  const orders = world.faults.orders()
  vi.setSystemTime(start + hour + 1)
  const fresh = () => served?.seen('shop.example', ca)
  await expect.poll(fresh, { timeout: 20_000 }).not.toEqual(first)
  expect(world.faults.orders()).toBeGreaterThan(orders)
  expect((await client.request('GET /', { Host: 'shop.example' })).status).toBe(200)
})

test('until there is a certificate the local CA’s is served where that is wished, else the handshake is refused', async () => {
  world.faults.fault = () => ({ status: 503 })
  served = await serve(world, { http: { meanwhile: 'local' }, more: [localCa()] })
  await served.fqdn('other.example', {})
  const localRoot = async () => (await import('node:fs/promises')).readFile(`${served?.root}/ca/root.pem`, 'utf8')
  await expect
    .poll(async () => served?.seen('other.example', await localRoot()), { timeout: 20_000 })
    .toMatchObject({ names: 'DNS:other.example' })
  await expect(served.name('refused', {}).then(() => served?.seen(`refused.${domain}`, ca))).rejects.toThrow()
  world.faults.fault = () => undefined
  await served.gateway.certificates.renew(served.certificate('other.example')?.id ?? '')
  expect(await served.seen('other.example', ca)).toMatchObject({ names: 'DNS:other.example' })
})

test('a revoked certificate is replaced first', async () => {
  served = await serve(world)
  await served.fqdn('shop.example')
  const first = await served.seen('shop.example', ca)
  await served.gateway.certificates.revoke(served.certificate('shop.example')?.id ?? '')
  expect(await served.seen('shop.example', ca)).not.toEqual(first)
  expect(world.faults.asked).toContain('POST /revoke-cert')
})
