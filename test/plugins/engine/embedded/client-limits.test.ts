import { once } from 'node:events'
import { expect, test } from 'vitest'
import { ClientLimits } from '../../../../plugins/engine/embedded/client-limits.ts'
import { type EmbeddedOptions, embedded } from '../../../../plugins/engine/embedded/index.ts'
import { openTcp } from '../../../kit/clients/socket.ts'
import { backend, becomes } from '../../../kit/engine/cases.ts'
import { openWorld, type World } from '../../../kit/engine/world.ts'

const open = (limits: NonNullable<EmbeddedOptions['limits']>, more: EmbeddedOptions = {}): Promise<World> =>
  openWorld(({ http, https, drain }) => embedded({ http: { port: http }, https: { port: https }, drain, limits, ...more }))()
const other = { from: '127.0.0.9' }
const none = { connections: 0, requests: 0, handshakes: 0, failures: 0 }
const quiet = () => undefined

test('one address gets no more connections than its limit, others do, and it does again when one has ended', async () => {
  const world = await open({ clientConnections: 3 })
  await world.set('a', 'a.test', [(await backend('fine')).url])
  const [first] = [await world.h1('a.test'), await world.h1('a.test'), await world.plain()]
  await expect(world.h1('a.test')).rejects.toThrow()
  await openTcp({ port: world.where.http }).then(
    (plain) => new Promise((closed) => plain.once('close', closed)),
    () => undefined,
  )
  expect((await (await world.h1('a.test', {}, other)).request('GET /', { Host: 'a.test' })).text).toBe('fine')
  first?.close()
  await becomes(
    () =>
      world.get('a.test').then(
        ({ text }) => text,
        () => 'refused',
      ),
    'fine',
  )
})

test('one address has no more requests under way than its limit, over HTTP/1.1 and HTTP/2 together', async () => {
  const world = await open({ clientRequests: 2 })
  const slow = await backend(() => undefined)
  await world.set('slow', 'slow.test', [slow.url])
  await world.set('a', 'a.test', [(await backend('fine')).url])
  const held = await world.h1('slow.test')
  await held.send('GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n')
  const two = await world.h2('slow.test')
  const pending = two.request({ headers: {} }).catch(() => undefined)
  await becomes(() => slow.requests.length, 2)
  const refused = await world.get('a.test')
  expect([refused.status, refused.header('retry-after')]).toEqual([429, '1'])
  expect((await (await world.h2('a.test')).request({ headers: {} })).status).toBe(429)
  expect((await (await world.h1('a.test', {}, other)).request('GET /', { Host: 'a.test' })).text).toBe('fine')
  held.close()
  await becomes(async () => (await world.get('a.test')).status, 200)
  two.close()
  await pending
})

test('one address begins no more handshakes than its limit, and others do', async () => {
  const world = await open({ clientHandshakes: 0.5 })
  await world.set('a', 'a.test', [(await backend('fine')).url])
  for (let count = 0; count < 5; count++) (await world.h1('a.test')).close()
  await expect(world.h1('a.test')).rejects.toThrow()
  expect((await world.plain()).socket.destroyed).toBe(false)
  expect((await world.h1('a.test', {}, other)).socket.destroyed).toBe(false)
  expect(world.log.filter((line) => line.includes('limits.clientHandshakes'))).toHaveLength(1)
})

test('an address of which too much comes to nothing is refused, over new connections too, and open ones of it are served', async () => {
  const world = await open({ clientFailures: 0.5 })
  await world.set('a', 'a.test', [(await backend('fine')).url])
  const fine = await world.h1('a.test')
  for (let count = 0; count < 2; count++) {
    const client = await world.h1('a.test')
    for (let request = 0; request < 2; request++)
      expect((await client.request('GET /', { Host: 'nobody.test' })).status).toBe(404)
  }
  const last = await world.h1('a.test')
  expect((await last.request('GET /', { Host: 'a.test', 'Transfer-Encoding': 'x' })).status).toBe(400)
  await last.closed
  await expect(world.h1('a.test')).rejects.toThrow()
  expect((await fine.request('GET /', { Host: 'a.test' })).text).toBe('fine')
  const limited = await fine.request('GET /', { Host: 'nobody.test' })
  expect([limited.status, limited.header('retry-after')]).toEqual([429, '1'])
  expect((await (await world.h1('a.test', {}, other)).request('GET /', { Host: 'a.test' })).text).toBe('fine')
})

test('streams that are reset count for the address, over new connections too', async () => {
  const world = await open({ clientFailures: 1 })
  await world.set('a', 'a.test', [(await backend(() => undefined)).url])
  const reset = async () => {
    const two = await world.h2('a.test')
    const stream = two.session.request({ ':path': '/', ':authority': 'a.test' })
    stream.on('error', () => undefined).close(8)
    await once(stream, 'close')
    two.close()
  }
  await expect(
    (async () => {
      for (let count = 0; count < 100; count++) await reset()
    })(),
  ).rejects.toThrow()
  expect((await world.h2('a.test', {}, other)).session.destroyed).toBe(false)
})

test('the address that a PROXY header announces counts, and trusted proxies have no limits', async () => {
  const world = await open({ clientConnections: 2 }, { trustedProxies: ['127.0.0.1'], proxyProtocol: { inbound: true } })
  await world.set('a', 'a.test', [(await backend('fine')).url])
  const from = (address: string) =>
    world.h1('a.test', {}, { before: Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 4000 443\r\n`) })
  await from('192.0.2.1')
  await from('192.0.2.1')
  await expect(from('192.0.2.1')).rejects.toThrow()
  for (const address of ['192.0.2.2', '192.0.2.3', '127.0.0.1', '127.0.0.1', '127.0.0.1'])
    expect((await from(address)).socket.destroyed).toBe(false)
})

test('a /64 of IPv6 is one client, and an address has the same limit however it is written', () => {
  const limits = new ClientLimits({ ...none, connections: 1 }, quiet)
  expect(limits.connect('2001:db8::1', 0, 0, false)?.key).toBe('2001:0db8:0000:0000::/64')
  expect(limits.connect('2001:db8::ffff:1', 0, 0, false)).toBeUndefined()
  expect(limits.connect('2001:db8:0:1::1', 0, 0, false)).toBeDefined()
  expect(limits.connect('fe80::1%eth0', 0, 0, false)?.key).toBe('fe80:0000:0000:0000::/64')
  expect(limits.connect('192.0.2.1', 0, 0, false)).toBeDefined()
  expect(limits.connect('::ffff:192.0.2.1', 0, 0, false)).toBeUndefined()
})

test('addresses that come and go are forgotten: no attacker makes the table grow without end', () => {
  const limits = new ClientLimits({ ...none, failures: 10 }, quiet)
  for (let n = 0; n < 200_000; n++) {
    const usage = limits.connect(`2001:db8:${(n >> 16).toString(16)}:${(n & 65_535).toString(16)}::1`, 0, 0, false)
    if (usage) limits.leave(usage)
  }
  expect(limits.size).toBeLessThanOrEqual(16_385)
})

test('an address gets at most as many connections as stay free for others, but a few always', () => {
  const limits = new ClientLimits(none, quiet)
  let taken = 0
  const take = (address: string) => {
    let got = 0
    for (; taken < 1_000 && limits.connect(address, taken, 1_000, false); got++) taken++
    return got
  }
  expect([take('192.0.2.1'), take('192.0.2.2'), take('192.0.2.3'), take('192.0.2.4')]).toEqual([500, 250, 125, 63])
})
