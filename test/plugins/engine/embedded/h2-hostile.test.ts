import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { BufferBudget } from '../../../../plugins/engine/embedded/buffer-budget.ts'
import type { Exchange } from '../../../../plugins/engine/embedded/exchange.ts'
import { frameHead, frameType } from '../../../../plugins/engine/embedded/h2/codes.ts'
import { Session } from '../../../../plugins/engine/embedded/h2/session.ts'
import { headerBlock } from '../../../kit/clients/h2-frames.ts'
import { eventually, signal } from '../../../kit/engine/cases.ts'
import { Peer } from './h2-peer.ts'
import { socketPair } from './socket-pair.ts'
import { unlimitedBuffers } from './unlimited-buffers.ts'

/** A connection whose requests this test answers, and a client that does what it is told. */
const connected = async (serve: (exchange: Exchange) => void, buffers = unlimitedBuffers(), address = '127.0.0.1') => {
  const [near, far] = await socketPair()
  const ended: string[] = []
  const client = {
    address,
    secure: true,
    port: '443',
    trusted: false,
    serverName: 'a.test',
    buffers,
  }
  const limits = { headerBytes: 32_768, headerTime: 60_000, idleTime: 60_000, streams: 128, controlFrames: 100 }
  const session = new Session({ socket: near, client, limits, serve, ended: (reason) => ended.push(reason) })
  onTestFinished(() => {
    near.destroy()
    far.destroy()
  })
  return { near, far, session, ended, peer: new Peer(far) }
}
const answer = (exchange: Exchange, text: string, fields: string[] = []) => {
  exchange.watch({ clientDrained: () => undefined, gone: () => undefined })
  exchange.respond(200, '', fields, { bodyless: false, trailers: false })
  exchange.end(Buffer.from(text), [])
}
const frame = (type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([frameHead(payload.length, type, flags, stream), payload])
const many = (count: number, make: (at: number) => Buffer) => Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))

test('a table that is made small and large again in one SETTINGS frame is empty, and said to be', async () => {
  const { peer, far } = await connected((exchange) => answer(exchange, 'fine', ['X-Kept', 'in the table of both']))
  const blocks: Buffer[] = []
  let kept = Buffer.alloc(0)
  far.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk])
    while (kept.length >= 9 && kept.length >= 9 + kept.readUIntBE(0, 3)) {
      const end = 9 + kept.readUIntBE(0, 3)
      if (kept[3] === frameType.headers) blocks.push(kept.subarray(9, end))
      kept = kept.subarray(end)
    }
  })
  peer.request('/', false)
  await eventually(() => expect(blocks).toHaveLength(1))
  // SETTINGS_HEADER_TABLE_SIZE 0, then 4,096 (RFC 9113 section 6.5.3: in the order in which they stand).
  peer.settings([
    [1, 0],
    [1, 4_096],
  ])
  peer.request('/', false)
  await eventually(() => expect(blocks).toHaveLength(2))
  // RFC 7541 section 4.2: the smallest size first, then the final one; and a name that the client knows no more is said in full.
  expect(blocks[1]?.subarray(0, 4)).toEqual(Buffer.of(0x20, 0x3f, 0xe1, 0x1f))
  expect(blocks[1]?.toString('latin1')).toContain('in the table of both')
  expect(peer.complaints).toEqual([])
})

test('a body of single bytes that its backend does not read is kept in few pieces, and arrives whole', async () => {
  const [came, go] = [signal<Exchange>(), signal()]
  const { peer, far } = await connected((exchange) => {
    exchange.watch({ clientDrained: () => undefined, gone: () => undefined })
    came.happen(exchange)
  })
  const id = peer.request('/', true)
  const { body } = await came.happened
  const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, at) => at & 255))
  far.write(many(bytes.length, (at) => frame(frameType.data, at === bytes.length - 1 ? 1 : 0, id, bytes.subarray(at, at + 1))))
  // All of it has been taken in, and none of it read.
  await eventually(() => expect(body?.readableLength).toBe(bytes.length))
  const pieces: Buffer[] = []
  body?.on('data', (piece: Buffer) => pieces.push(piece)).on('end', go.happen)
  await go.happened
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
  expect(pieces.length).toBeLessThan(100)
})

test('an answer of single bytes that its client does not take is kept in few pieces, and arrives whole', async () => {
  const came = signal<Exchange>()
  const { peer } = await connected((exchange) => came.happen(exchange))
  peer.settings([[4, 0]])
  const id = peer.request('/', false)
  const exchange = await came.happened
  exchange.watch({ clientDrained: () => undefined, gone: () => undefined })
  exchange.respond(200, '', [], { bodyless: false, trailers: false })
  const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, at) => at & 255))
  for (let at = 0; at < bytes.length; at++) exchange.write(Buffer.from(bytes.subarray(at, at + 1)))
  exchange.end(undefined, [])
  expect(exchange.unsent()).toBe(bytes.length)
  peer.widen(id, 100_000)
  await eventually(() => expect(peer.got.get(id)?.ends).toBe(1))
  expect(Buffer.concat(peer.got.get(id)?.body ?? []).equals(bytes)).toBe(true)
})

test('DATA that is all padding is a flood like empty DATA', async () => {
  const { peer, far, ended, near } = await connected(() => undefined)
  const id = peer.request('/', true)
  far.write(many(1_500, () => frame(frameType.data, 8, id, Buffer.of(0))))
  await once(near, 'close')
  expect(ended).toEqual(['it floods with empty DATA'])
})

test.each([
  ['streams after its GOAWAY', (at: number) => frame(frameType.headers, 5, 2 * at + 3, block)],
  ['GOAWAY', () => frame(frameType.goaway, 0, 0, Buffer.alloc(8))],
])('a client that floods with %s and reads nothing is ended', async (_name, make) => {
  const { far, near, ended } = await connected(() => undefined)
  far.pause()
  far.write(frame(frameType.headers, 5, 1, block))
  far.write(frame(frameType.goaway, 0, 0, Buffer.alloc(8)))
  far.write(many(20_000, make))
  await eventually(() => expect(ended).toHaveLength(1))
  far.resume()
  await once(near, 'close')
  expect(ended[0]).toMatch(/^it (floods with|reads no answers)/)
})

test('once a connection holds all that it may, its backends are held up, and go on as the client reads', async () => {
  const budget = new BufferBudget({ connection: 262_144, address: 0, total: 0 }, () => undefined)
  const buffers = budget.open('127.0.0.1', false, () => undefined)
  const backends: { exchange: Exchange; held: boolean }[] = []
  const { peer } = await connected((exchange) => {
    const backend = { exchange, held: false }
    backends.push(backend)
    exchange.watch({
      clientFull: () => {
        backend.held = true
      },
      clientDrained: () => {
        backend.held = false
      },
      gone: () => undefined,
    })
    exchange.respond(200, '', [], { bodyless: false, trailers: false })
  }, buffers)
  peer.settings([[4, 0]])
  const ids = Array.from({ length: 20 }, () => peer.request('/', false))
  await eventually(() => expect(backends).toHaveLength(20))
  // Each sends as much as one read brings, unless it is held up.
  for (const { exchange, held } of backends) if (!held) exchange.write(Buffer.alloc(65_536))
  expect(budget.bytes).toBeLessThan(400_000)
  const waiting = backends.filter(({ held }) => held).length
  expect(waiting).toBeGreaterThan(15)
  // One stream is read: its backend goes on, and one of the others.
  const [first = 0] = ids
  peer.widen(first, 65_536)
  await eventually(() => expect(backends.filter(({ held }) => held).length).toBeLessThan(waiting))
  // All is read: nobody waits.
  for (const id of ids.slice(1)) peer.widen(id, 65_536)
  peer.widen(0, 10_000_000)
  await eventually(() => expect(backends.filter(({ held }) => held)).toEqual([]))
})

test('a client that takes nothing of its answers has no more requests carried out than its connection holds', async () => {
  const budget = new BufferBudget({ connection: 1_048_576, address: 0, total: 0 }, () => undefined)
  const exchanges: Exchange[] = []
  const buffers = budget.open('127.0.0.1', false, () => undefined)
  const { peer, far } = await connected((exchange) => {
    exchange.watch({ clientDrained: () => undefined, gone: () => undefined })
    exchange.respond(200, '', [], { bodyless: false, trailers: false })
    // As much as one read of a backend brings.
    exchange.write(Buffer.alloc(65_536))
    exchange.end(undefined, [])
    exchanges.push(exchange)
  }, buffers)
  peer.settings([[4, 0]])
  const ids = Array.from({ length: 128 }, () => peer.request('/', false))
  await eventually(() => expect(buffers.full).toBe(true))
  expect(exchanges.length).toBeLessThan(20)
  expect(budget.bytes).toBeLessThan(2_000_000)
  // It takes them after all: each is served.
  peer.settings([[4, 70_000]])
  peer.widen(0, 100_000_000)
  await eventually(() => expect(ids.every((id) => peer.got.get(id)?.ends === 1)).toBe(true))
  expect(exchanges).toHaveLength(128)
  expect(budget.bytes).toBe(0)
  far.destroy()
})

test('requests whose heads alone are more than a connection may hold are served all the same', async () => {
  const budget = new BufferBudget({ connection: 1_000, address: 0, total: 0 }, () => undefined)
  const buffers = budget.open('127.0.0.1', false, () => undefined)
  const { peer } = await connected((exchange) => setImmediate(answer, exchange, 'fine'), buffers)
  const ids = Array.from({ length: 20 }, () => peer.request('/', false))
  await eventually(() => expect(ids.every((id) => peer.got.get(id)?.ends === 1)).toBe(true))
  expect(budget.bytes).toBe(0)
})

test('a client that is there when its connection is to end is served what it asks before it hears of it', async () => {
  const { peer, session } = await connected((exchange) => answer(exchange, 'fine'))
  session.goAway()
  const id = peer.request('/', false)
  await eventually(() => expect(peer.got.get(id)).toMatchObject({ status: '200', ends: 1 }))
  session.goAway()
  await eventually(() => expect(peer.ended).toBe(true))
  expect(peer.goaways).toEqual([0, 0])
})

/** Frames that a client may send on a stream, each from the beginning of its life on; what they do is told by what comes of the connection. */
const kinds = {
  headers: (id: number) => frame(frameType.headers, 4, id, block),
  'headers that end it': (id: number) => frame(frameType.headers, 5, id, block),
  trailers: (id: number) => frame(frameType.headers, 5, id, headerBlock([['x-sum', '1']])),
  data: (id: number) => frame(frameType.data, 0, id, Buffer.alloc(100)),
  'padded data that ends it': (id: number) => frame(frameType.data, 9, id, Buffer.concat([Buffer.of(50), Buffer.alloc(100)])),
  reset: (id: number) => frame(frameType.reset, 0, id, Buffer.of(0, 0, 0, 8)),
  priority: (id: number) => frame(frameType.priority, 0, id, Buffer.of(0x80, 0, 0, 0, 16)),
  'a window update': (id: number) => frame(frameType.window, 0, id, Buffer.of(0, 0, 1, 0)),
  'an unknown frame': (id: number) => frame(0x10, 0, id, Buffer.from('u=1')),
} as const
const block = headerBlock([
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', '/'],
])

test('any three frames on one stream end the connection where the standard says so, and leave it in order elsewhere', async () => {
  const names = Object.keys(kinds) as (keyof typeof kinds)[]
  const orders = names.flatMap((one) => names.flatMap((two) => names.map((three) => [one, two, three] as const)))
  for (const order of orders) {
    const open = new Set<Exchange>()
    const { far, near, ended, peer } = await connected((exchange) => {
      open.add(exchange)
      exchange.watch({ clientDrained: () => undefined, gone: () => void open.delete(exchange) })
      exchange.body?.resume()
      exchange.respond(200, '', [], { bodyless: false, trailers: false })
      exchange.end(Buffer.from('fine'), [])
    })
    peer.request('/', false)
    for (const kind of order) far.write(kinds[kind](5))
    // Whatever went before has been dealt with once this is answered.
    peer.send(frameType.ping, 0, 0, Buffer.alloc(8))
    while (peer.pongs === 0 && !peer.ended) await Promise.race([once(far, 'data'), once(far, 'end')])
    const errors = peer.goaways.filter((code) => code !== 0).length
    const bad = wrong(order) ? 1 : 0
    expect([order, ended.length, errors, peer.pongs]).toEqual([order, bad, bad, 1 - bad])
    far.destroy()
    if (!near.closed) await once(near, 'close')
    expect([order, open.size]).toEqual([order, 0])
  }
})

/** Whether these frames are an error of the whole connection (RFC 9113 section 5.1). */
const wrong = (order: readonly (keyof typeof kinds)[]): boolean => {
  let state: 'idle' | 'open' | 'over' | 'reset here' = 'idle'
  for (const kind of order) {
    if (kind === 'priority' || kind === 'an unknown frame') continue
    const begins = kind === 'headers' || kind === 'headers that end it'
    if (state === 'idle') {
      if (!begins && kind !== 'trailers') return true
      // A head without a method is an error of the stream alone.
      state = kind === 'headers' ? 'open' : kind === 'headers that end it' ? 'over' : 'reset here'
    } else if (state === 'over') {
      if (kind !== 'a window update' && kind !== 'reset') return true
    } else if (state === 'open') {
      // A second head makes no trailers.
      if (begins) state = 'reset here'
      else if (kind !== 'data' && kind !== 'a window update') state = 'over'
    }
  }
  return false
}

test('connections that name hundreds of fields by a few bytes are read by turns with those of others', async () => {
  let begun = 0
  const [count, requests] = [20, 100]
  const block = Buffer.concat([
    headerBlock([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'a.test'],
      [':path', '/'],
    ]),
    Buffer.alloc(700, 0xba),
  ])
  const floods = await Promise.all(
    Array.from({ length: count }, () =>
      connected(
        () => {
          begun++
        },
        unlimitedBuffers(),
        '192.0.2.1',
      ),
    ),
  )
  const quiet = signal<number>()
  const honest = await connected(() => quiet.happen(begun), unlimitedBuffers(), '192.0.2.2')
  for (const { far } of floods) far.write(many(requests, (at) => frame(frameType.headers, 0x5, 2 * at + 1, block)))
  await eventually(() => expect(begun).toBeGreaterThan(0))
  honest.peer.request('/', false)
  // It waits for a few turns, and not for the rest of the flood.
  expect(await quiet.happened).toBeLessThan((count * requests) / 4)
  await eventually(() => expect(begun).toBe(count * requests))
})
