import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Bytes, WorkloadId } from '../../../../core/index.ts'
import { clientHello, freePort, type Http1, http1, openTcp, rawBackend } from '../../../kit/index.ts'
import { from, passThrough, relayRoute, relayStand } from './relay-stand.ts'

const id = '1-1-own' as WorkloadId

/** Answers every piece with the same bytes. */
const echo = async (connection: Http1) => {
  for (;;) await connection.send(await connection.some())
}
const backend = async (connected: (connection: Http1) => unknown = echo) => {
  const made = await rawBackend(connected)
  onTestFinished(made.close)
  return made
}
const becomes = <T>(read: () => Promise<T>, wanted: T) =>
  vi.waitFor(async () => expect(await read()).toEqual(wanted), { timeout: 15_000, interval: 50 })

test('passes a connection to the backend of its server name, byte for byte, and counts what the client sent and got', async () => {
  const stand = await relayStand()
  await stand.client.restore([relayRoute(id, 'own.test', [(await backend()).address])])
  const client = await passThrough(stand, 'OWN.test')
  expect(await client.take(client.hello.length)).toEqual(client.hello)
  await client.send('x'.repeat(100_000))
  await client.take(100_000)
  const all = { request: client.hello.length + 100_000, response: client.hello.length + 100_000 }
  await becomes(() => stand.bytes(id), all)
})

test('closes a connection without a PROXY header, for an unknown name, or without a name', async () => {
  const stand = await relayStand()
  await stand.client.restore([relayRoute(id, 'own.test', [(await backend()).address])])
  const naked = http1(await openTcp({ port: stand.port, before: await clientHello('own.test') }))
  const unknown = http1(
    await openTcp({ port: stand.port, before: Buffer.concat([from('192.0.2.1'), await clientHello('other.test')]) }),
  )
  const noise = http1(
    await openTcp({ port: stand.port, before: Buffer.concat([from('192.0.2.1'), Buffer.from('GET / HTTP/1.1\r\n')]) }),
  )
  await Promise.all([naked.closed, unknown.closed, noise.closed])
  expect(await stand.bytes(id)).toBeUndefined()
})

test.each(['v1', 'v2'] as const)(
  "tells a backend the client's address by PROXY protocol %s, and does not count that",
  async (version) => {
    const stand = await relayStand()
    const got = Promise.withResolvers<Buffer>()
    const made = await backend(async (connection) => got.resolve(await connection.some()))
    await stand.client.restore([relayRoute(id, 'own.test', [made.address], { sendProxy: version })])
    const client = await passThrough(stand, 'own.test', '192.0.2.77')
    const first = await got.promise
    if (version === 'v1') expect(first.toString('latin1')).toMatch(/^PROXY TCP4 192\.0\.2\.77 127\.0\.0\.1 4711 443\r\n/)
    else expect(first.subarray(16, 20)).toEqual(Buffer.from([192, 0, 2, 77]))
    await becomes(() => stand.bytes(id), { request: client.hello.length, response: 0 })
  },
)

test('takes backends in turn and leaves a dead one out', async () => {
  const stand = await relayStand()
  const named = (name: string) =>
    backend(async (connection) => {
      await connection.some()
      await connection.send(name)
    })
  const dead = `127.0.0.1:${await freePort()}`
  const [one, two] = [await named('1'), await named('2')]
  await stand.client.restore([relayRoute(id, 'own.test', [one.address, dead, two.address])])
  const seen: string[] = []
  for (let round = 0; round < 6; round++) seen.push((await (await passThrough(stand, 'own.test')).take(1)).toString())
  expect(seen.sort().join('')).toBe('111222')
})

test('cuts what is open at the deadline of a removal, says the last figure once, and counts from zero after', async () => {
  const stand = await relayStand()
  const made = await backend()
  const route = relayRoute(id, 'own.test', [made.address])
  await stand.client.restore([route])
  const client = await passThrough(stand, 'own.test')
  await client.take(client.hello.length)
  const gone = new Promise<Bytes>((done) => stand.client.remove(id, 300, false, done))
  await client.send('still here')
  expect((await client.take(10)).toString()).toBe('still here')
  await client.closed
  const all = client.hello.length + 10
  expect(await gone).toEqual({ request: all, response: all })
  expect(await stand.bytes(id)).toBeUndefined()
  await expect(passThrough(stand, 'own.test').then(({ take }) => take(1))).rejects.toThrow()
  await stand.client.apply([route], [])
  const again = await passThrough(stand, 'own.test')
  await again.take(again.hello.length)
  await becomes(() => stand.bytes(id), { request: again.hello.length, response: again.hello.length })
})

test('serves a workload that is set again in the moment of its removal', async () => {
  const stand = await relayStand()
  const route = relayRoute(id, 'own.test', [(await backend()).address])
  await stand.client.restore([route])
  stand.client.remove(id, 0, false, () => undefined)
  await stand.client.apply([route], [])
  const client = await passThrough(stand, 'own.test')
  expect(await client.take(client.hello.length)).toEqual(client.hello)
})

test('takes a change while many wait for the figures of a Traefik that does not tell them', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const stand = await relayStand([], { metrics: { host: '127.0.0.1', port } })
  const route = relayRoute(id, 'own.test', [(await backend()).address])
  await stand.client.restore([])
  const reads = Array.from({ length: 20 }, () => stand.client.read(AbortSignal.timeout(30_000)))
  await stand.client.apply([route], [])
  const client = await passThrough(stand, 'own.test')
  expect(await client.take(client.hello.length)).toEqual(client.hello)
  expect((await Promise.all(reads)).length).toBe(20)
})

test('goes on without a gateway, and keeps its counters for the next one', async () => {
  const stand = await relayStand()
  await stand.client.restore([relayRoute(id, 'own.test', [(await backend()).address])])
  const { epoch } = await stand.client.read(AbortSignal.timeout(5_000))
  await stand.client.close()
  const client = await passThrough(stand, 'own.test')
  await client.take(client.hello.length)
  const next = stand.connect()
  const answer = await next.read(AbortSignal.timeout(5_000))
  expect(answer).toEqual({ epoch, bytes: new Map([[id, { request: client.hello.length, response: client.hello.length }]]) })
})

test('serves the same routes after a kill -9 without a gateway, in the same epoch, and no figure falls', async () => {
  const stand = await relayStand()
  await stand.client.restore([relayRoute(id, 'own.test', [(await backend()).address])])
  const before = await passThrough(stand, 'own.test')
  await before.take(before.hello.length)
  const told = await stand.client.read(AbortSignal.timeout(5_000))
  expect(told.bytes.get(id)?.request).toBe(before.hello.length)
  await stand.client.close()
  await stand.kill()
  await stand.start()
  const after = await passThrough(stand, 'own.test')
  await after.take(after.hello.length)
  const answer = await stand.connect().read(AbortSignal.timeout(5_000))
  expect(answer.epoch).toBe(told.epoch)
  const sum = before.hello.length + after.hello.length
  expect(answer.bytes.get(id)).toEqual({ request: sum, response: sum })
})

test('is told everything anew after a kill -9, changes of that time included', async () => {
  const stand = await relayStand()
  const made = await backend()
  await stand.client.restore([relayRoute(id, 'own.test', [made.address])])
  await stand.kill()
  const changed = stand.client.apply([relayRoute('1-2-new', 'new.test', [made.address])], [id], AbortSignal.timeout(20_000))
  await stand.start()
  await changed
  const client = await passThrough(stand, 'new.test')
  await client.take(client.hello.length)
  await expect(passThrough(stand, 'own.test').then(({ take }) => take(1))).rejects.toThrow()
})

test('keeps its socket and its files to its user, and a second one does not start beside it', async () => {
  const stand = await relayStand()
  for (const [name, mode] of [
    ['socket', 0o600],
    ['routes/document', 0o600],
    ['bytes/document', 0o600],
    ['routes', 0o700],
  ] as const)
    expect((await stat(`${stand.folder}/${name}`)).mode & 0o777).toBe(mode)
  const first = stand.process
  await expect(Promise.race([stand.start().then(() => once(stand.process, 'exit'))])).resolves.toEqual([1, null])
  expect(first.exitCode).toBeNull()
  first.kill('SIGKILL')
})

test('lets the backend go on after the client has ended its side, also right after its ClientHello', async () => {
  const stand = await relayStand()
  const made = await rawBackend(
    async (connection) => {
      const all = await connection.rest()
      connection.socket.end(`${all.length} bytes`)
    },
    { halfOpen: true },
  )
  onTestFinished(made.close)
  await stand.client.restore([relayRoute(id, 'own.test', [made.address])])
  const hello = await clientHello('own.test')
  for (let round = 0; round < 10; round++) {
    const client = http1(await openTcp({ port: stand.port }))
    client.socket.end(Buffer.concat([from('192.0.2.7'), hello, Buffer.from('the end')]))
    expect((await client.rest()).toString()).toBe(`${hello.length + 7} bytes`)
  }
})
