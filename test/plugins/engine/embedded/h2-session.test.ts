import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Outbox, type Sender } from '../../../../plugins/engine/embedded/h2/outbox.ts'
import { frameType, openFrames } from '../../../kit/clients/h2-frames.ts'
import { backend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { socketPair } from './socket-pair.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)
const counting = () =>
  backend((request, response) => {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => response.end(String(length)))
  })

test('bodies that come whole in one frame make room again on their connection', async () => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await counting()).url])
  const client = await world.h2('a.test')
  const body = Buffer.alloc(16_384)
  for (let sent = 0; sent < 200; sent++)
    expect((await client.request({ headers: { ':method': 'POST' }, body })).text).toBe('16384')
})

test('bodies that are longer than they said make room again as well, for those that come behind them', async () => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await counting()).url])
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  const fields = { ':method': 'POST', ':scheme': 'https', ':authority': 'a.test', ':path': '/', 'content-length': '1' }
  let room = 65_535
  const next = async () => {
    const frame = await client.next()
    if (frame.type === frameType.window && frame.stream === 0) room += frame.payload.readUInt32BE(0)
    return frame
  }
  const piece = Buffer.alloc(16_384)
  for (let id = 1; id < 400; id += 2) {
    await client.headers(id, Object.entries(fields), false)
    while (room < piece.length) await next()
    room -= piece.length
    await client.send(frameType.data, 1, id, piece)
    for (let reset = false; !reset; ) {
      const { type, stream } = await next()
      reset = type === frameType.reset && stream === id
    }
  }
})

test('a connection to a backend that was held up at the end of one answer is there for the next', async () => {
  const world = await open()
  const piece = Buffer.alloc(60_000, 'a')
  const web = await backend((_, response) => {
    // Two chunks and the end in one packet: more than is queued for a client.
    response.write(piece)
    response.write(piece)
    response.end()
  })
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h2('a.test')
  for (let asked = 0; asked < 20; asked++) expect((await client.request({ headers: {} })).body.length).toBe(120_000)
})

test('everyone who has something to send gets a turn, however much the first ones have', async () => {
  const [near, far] = await socketPair()
  far.resume()
  const outbox = new Outbox(
    near,
    () => undefined,
    () => undefined,
  )
  outbox.window = 100_000_000
  const turns = Array.from({ length: 12 }, () => 0)
  const senders = turns.map(
    (_, at): Sender => ({
      pending: true,
      left: () => undefined,
      give(out, most) {
        const bytes = Math.min(most, 16_384)
        out.push(Buffer.alloc(bytes))
        turns[at] = (turns[at] ?? 0) + 1
        return bytes
      },
    }),
  )
  for (const sender of senders) outbox.body(sender)
  while (turns.every((count) => count < 10)) await once(far, 'data')
  expect(Math.min(...turns)).toBeGreaterThan(8)
  for (const sender of senders) outbox.drop(sender)
})

test('a client that takes no page of the gateway itself does not hold its connection for ever', async () => {
  const world = await open({ limits: { idleSeconds: 1 } })
  await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  // SETTINGS_INITIAL_WINDOW_SIZE 0: no body may come.
  await client.send(frameType.settings, 0, 0, Buffer.of(0, 4, 0, 0, 0, 0))
  const fields = { ':method': 'GET', ':scheme': 'https', ':authority': 'other.test', ':path': '/' }
  await client.headers(1, Object.entries(fields), true)
  const seen: number[] = []
  for (let frame = await client.next(); frame.type !== frameType.goaway; frame = await client.next())
    if (frame.stream === 1) seen.push(frame.type)
  expect(seen).toEqual([frameType.headers, frameType.reset])
})
