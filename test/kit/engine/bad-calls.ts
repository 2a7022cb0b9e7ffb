import { expect } from 'vitest'
import type { Http1 } from '../clients/h1.ts'
import { frameType, headerBlock } from '../clients/h2-frames.ts'
import { becomes, bytesBackend, type Cases } from './cases.ts'

type Fields = readonly (readonly [name: string, value: string])[]
interface Said {
  readonly type: number
  readonly flags: number
  readonly payload: Uint8Array
}
const head = (fields: Fields, ...flags: 'end'[]): Said => ({
  type: frameType.headers,
  flags: flags.length > 0 ? 5 : 4,
  payload: headerBlock(fields),
})
const body = (text: string): Said => ({ type: frameType.data, flags: 0, payload: Buffer.from(text) })
const reset = (code: number): Said => ({ type: frameType.reset, flags: 0, payload: Buffer.of(0, 0, 0, code) })
const ok: Fields = [[':status', '200']]
const twice: Fields = [
  ['etag', '"a"'],
  ['etag', '"b"'],
]
// Names that every object has.
const inherited: Fields = [
  ['__proto__', 'a'],
  ['constructor', 'b'],
]

/** What a backend says to a call, and the statuses that its caller may see; 0: the answer was broken off. */
const answers: Readonly<Record<string, { readonly said: readonly Said[]; readonly seen: readonly number[] }>> = {
  'a hint that is no link': {
    said: [
      head([
        [':status', '103'],
        ['link', 'none'],
      ]),
      head(ok, 'end'),
    ],
    seen: [200],
  },
  'hints without end': {
    said: Array.from({ length: 1_000 }, () =>
      head([
        [':status', '103'],
        ['link', '</a>; rel=preload'],
      ]),
    ),
    seen: [502],
  },
  'inherited names': { said: [head([...ok, ...inherited], 'end')], seen: [200] },
  'inherited names behind the body': { said: [head(ok), body('a'), head(inherited, 'end')], seen: [200] },
  'a field twice': { said: [head([...ok, ...twice], 'end')], seen: [200] },
  'a field twice behind the body': { said: [head(ok), body('a'), head(twice, 'end')], seen: [200] },
  'a status above all': { said: [head([[':status', '999']], 'end')], seen: [502] },
  'no answer and no error': { said: [reset(0)], seen: [502] },
  'half an answer, called off': { said: [head(ok), body('a'), reset(8)], seen: [0] },
}

/** A server of HTTP/2 that answers each call with the same frames, right or wrong. */
const saying = (said: readonly Said[]) =>
  bytesBackend(async (connection) => {
    try {
      await connection.take(24)
      await write(connection, 0, { type: frameType.settings, flags: 0, payload: Buffer.alloc(0) })
      for (;;) {
        const start = await connection.take(9)
        const [type = 0, flags = 0] = start.subarray(3, 5)
        await connection.take(start.readUIntBE(0, 3))
        if (type === frameType.settings && flags === 0)
          await write(connection, 0, { type: frameType.settings, flags: 1, payload: Buffer.alloc(0) })
        if (type === frameType.headers && (flags & 1) === 1)
          for (const frame of said) await write(connection, start.readUInt32BE(5), frame)
      }
    } catch {
      // The engine closed it.
    }
  })
const write = (connection: Http1, stream: number, { type, flags, payload }: Said) => {
  const start = Buffer.alloc(9)
  start.writeUIntBE(payload.length, 0, 3)
  start[3] = type
  start[4] = flags
  start.writeUInt32BE(stream, 5)
  return connection.send(Buffer.concat([start, payload]))
}

const call = { 'content-type': 'application/grpc' }

/** Calls over HTTP/2 to a backend, and answers, that mean ill. */
export const badCalls: Cases = {
  'serves on whatever an h2c backend answers, to callers over HTTP/1.1 and HTTP/2': async (open) => {
    const world = await open({ grpc: true })
    const good = await saying([head(ok, 'end')])
    await world.set('1-1-good', 'good.test', [good.url])
    for (const [what, { said, seen }] of Object.entries(answers)) {
      await world.set('1-1-a', 'a.test', [(await saying(said)).url])
      const old = await world.get('a.test', '/', call).then(
        ({ status }) => status,
        () => 0,
      )
      const client = await world.h2('a.test')
      const now = await client.request({ headers: call }).then(
        ({ status }) => status,
        () => 0,
      )
      expect([what, ...seen]).toContain(old)
      expect([what, ...seen]).toContain(now)
      expect((await world.get('good.test', '/', call)).status).toBe(200)
    }
  },

  'serves on whatever trailers a caller sends to an h2c backend': async (open) => {
    const world = await open({ grpc: true })
    await world.set('1-1-a', 'a.test', [(await saying([])).url])
    const good = await saying([head(ok, 'end')])
    await world.set('1-1-good', 'good.test', [good.url])
    let sent = 0
    for (const trailers of ['Connection: x', 'TE: gzip', 'Upgrade: h2', '__proto__: a', 'constructor: a', 'ETag: a\r\nETag: b']) {
      const client = await world.h1('a.test')
      const start = 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n'
      await client.send(`${start}1\r\na\r\n0\r\n${trailers}\r\n\r\n`)
      sent++
      await becomes(async () => (await world.bytes('1-1-a')).request, sent)
      client.close()
      expect((await world.get('good.test', '/', call)).status).toBe(200)
    }
  },
}
