import { expect } from 'vitest'
import { frameType, type H2Frames, headerBlock, openFrames } from '../clients/h2-frames.ts'
import { backend, type Cases, eventually } from './cases.ts'
import { defer, type Open } from './world.ts'

const get = (path: string): readonly (readonly [string, string])[] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', path],
]

/** A flood on a connection of its own, and a client of another tenant that has to be served all the while. */
const flooded = async (open: Open, flood: (client: H2Frames) => Promise<void>) => {
  const world = await open()
  const [web, good] = [await backend('fine'), await backend('fine')]
  await world.set('1-1-a', 'a.test', [web.url])
  await world.set('2-1-b', 'b.test', [good.url])
  const [one, two] = [await world.h1('b.test'), await world.h2('b.test')]
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  const state = { over: false }
  const flooding = flood(client)
    .catch(() => undefined)
    .finally(() => {
      state.over = true
    })
  while (!state.over) {
    expect((await one.request('GET /', { Host: 'b.test' })).text).toBe('fine')
    expect((await two.request({ headers: {} })).text).toBe('fine')
  }
  await flooding
  expect((await world.get('b.test')).text).toBe('fine')
  return { client, web }
}
const repeat = async (count: number, send: (at: number) => Promise<void>) => {
  for (let at = 0; at < count; at++) await send(at)
}
/** Whether the engine ended it: a request on the connection is not answered any more. */
const ended = async (client: H2Frames) => {
  await client.headers(9_999, get('/after'), true).catch(() => undefined)
  return (await client.outcome(9_999)) !== 'ok'
}

/** What HTTP/2 lets a client do at no cost to itself. The others must not feel it. */
export const floods: Cases = {
  'ends a connection that floods with PING': async (open) => {
    const { client } = await flooded(open, (client) => repeat(3_000, () => client.send(frameType.ping, 0, 0, Buffer.alloc(8))))
    expect(await ended(client)).toBe(true)
  },

  'ends a connection that floods with SETTINGS': async (open) => {
    const { client } = await flooded(open, (client) => repeat(3_000, () => client.send(frameType.settings, 0, 0)))
    expect(await ended(client)).toBe(true)
  },

  'ends a request head that goes on for ever in CONTINUATION frames': async (open) => {
    const { client, web } = await flooded(open, async (client) => {
      await client.send(frameType.headers, 1, 1, headerBlock(get('/')))
      await repeat(2_000, (at) => client.send(frameType.more, 0, 1, headerBlock([[`x-${at}`, 'x'.repeat(1_000)]])))
    })
    expect(await ended(client)).toBe(true)
    expect(web.requests).toEqual([])
  },

  'refuses a request head that is small on the wire and huge behind it': async (open) => {
    const { client, web } = await flooded(open, async (client) => {
      // One field of 3,900 bytes enters the table (RFC 7541 section 6.2.1), and 16,000 bytes of indexes name it again and again.
      const value = headerBlock([['x-bomb', 'x'.repeat(3_900)]]).subarray(1)
      const bomb = Buffer.concat([headerBlock(get('/')), Buffer.of(0x40), value, Buffer.alloc(12_000, 0x80 | 62)])
      await client.send(frameType.headers, 5, 1, bomb)
    })
    expect(await client.outcome(1)).not.toBe('ok')
    expect(web.requests).toEqual([])
  },

  'bears a client that resets every stream that it opens': async (open) => {
    const cancel = Buffer.from([0, 0, 0, 8])
    const { web } = await flooded(open, (client) =>
      repeat(3_000, async (at) => {
        await client.headers(at * 2 + 1, get('/reset'), true)
        await client.send(frameType.reset, 0, at * 2 + 1, cancel)
      }),
    )
    // What of it reached the backend has left it again, but for the connections that are kept.
    await eventually(() => expect(web.connections).toBeLessThan(300))
  },

  'bears a body of empty DATA frames': async (open) => {
    await flooded(open, async (client) => {
      await client.headers(1, [[':method', 'POST'], ...get('/empty').slice(1)], false)
      await repeat(3_000, () => client.send(frameType.data, 0, 1))
    })
  },

  'ends a stream or connection whose window is opened beyond its limit': async (open) => {
    const { client } = await flooded(open, async (client) => {
      const most = Buffer.from([0x7f, 0xff, 0xff, 0xff])
      await repeat(3, () => client.send(frameType.window, 0, 0, most))
    })
    expect(await ended(client)).toBe(true)
  },
}
