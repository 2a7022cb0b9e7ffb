import { expect } from 'vitest'
import { embedded } from '../../plugins/index.ts'
import { frameType, type H2Frames, headerBlock, openFrames } from '../kit/clients/h2-frames.ts'
import { backend, eventually } from '../kit/engine/cases.ts'
import { openWorld } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { swarm, swarmSize } from './swarm.ts'

type Field = readonly [name: string, value: string]
const get: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', '/flood'],
]
const post: readonly Field[] = [[':method', 'POST'], ...get.slice(1)]

const frame = (type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
const many = (count: number, make: (at: number) => Buffer) => Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))
const open = (at: number) => frame(frameType.headers, 5, at * 2 + 1, headerBlock(get))
const number = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** What costs a client nothing: the bytes of one connection. */
const floods: Readonly<Record<string, Buffer>> = {
  'rapid reset': many(1_200, (at) => Buffer.concat([open(at), frame(frameType.reset, 0, at * 2 + 1, number(8))])),
  MadeYouReset: many(1_200, (at) => Buffer.concat([open(at), frame(frameType.window, 0, at * 2 + 1, number(0))])),
  CONTINUATION: Buffer.concat([
    frame(frameType.headers, 1, 1, headerBlock(get)),
    many(40, (at) => frame(frameType.more, 0, 1, headerBlock([[`x-${at}`, 'x'.repeat(900)]]))),
  ]),
  'empty CONTINUATION': Buffer.concat([
    frame(frameType.headers, 1, 1, headerBlock(get)),
    many(200, () => frame(frameType.more, 0, 1)),
  ]),
  PING: many(300, () => frame(frameType.ping, 0, 0, Buffer.alloc(8))),
  SETTINGS: many(300, () => frame(frameType.settings, 0, 0)),
  'empty DATA': Buffer.concat([
    frame(frameType.headers, 4, 1, headerBlock(post)),
    many(1_500, () => frame(frameType.data, 0, 1)),
  ]),
  PRIORITY: many(1_500, () => frame(frameType.priority, 0, 1, Buffer.alloc(5))),
  'HPACK bomb': Buffer.concat([
    frame(
      frameType.headers,
      5,
      1,
      Buffer.concat([
        headerBlock(get),
        Buffer.of(0x40),
        headerBlock([['x-bomb', 'x'.repeat(3_900)]]).subarray(1),
        Buffer.alloc(12_000, 0x80 | 62),
      ]),
    ),
  ]),
  'a window opened too far': many(3, () => frame(frameType.window, 0, 0, number(0x7fffffff))),
}

/** How a request on the connection ends once the flood is over. */
const flood = async (port: number, ca: string, bytes: Buffer) => {
  const client: H2Frames = await openFrames({ port }, { name: 'a.test', ca })
  try {
    await client.raw(bytes).catch(() => undefined)
    await client.headers(9_999, get, true).catch(() => undefined)
    return await client.outcome(9_999)
  } finally {
    client.close()
  }
}

const unlimited = { clientConnections: 0, clientHandshakes: 0, clientFailures: 0 }

faultOn(
  24,
  'connections that flood with any of ten things are ended, what they asked for leaves the backend, and memory comes back',
  // All of the swarm come from one address, whose limits would end it sooner.
  { embedded: openWorld(({ http, https }) => embedded({ http: { port: http }, https: { port: https }, limits: unlimited })) },
  async (open) => {
    const world = await open()
    await using _old = await oldRoute(world)
    const web = await backend('fine')
    await world.set('1-1-a', 'a.test', [web.url])
    const before = process.memoryUsage().rss
    const served: string[] = []
    for (const [name, bytes] of Object.entries(floods)) {
      const outcomes = await swarm(swarmSize(40), () => flood(world.where.https, world.authority.root, bytes))
      // One head that is too long ends its stream alone.
      if (name !== 'HPACK bomb' && outcomes.includes('ok')) served.push(name)
    }
    expect(served).toEqual([])
    await eventually(() => expect(web.connections).toBeLessThan(300))
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1_048_576)
    expect((await world.get('a.test')).text).toBe('fine')
  },
)

faultOn(24, 'others are served while connections flood with any of ten things', { traefik: engines.traefik }, async (open) => {
  const world = await open()
  await using _old = await oldRoute(world)
  await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
  for (const bytes of Object.values(floods))
    await swarm(20, () => flood(world.where.https, world.authority.root, bytes).catch(() => 'closed'))
  expect((await world.get('a.test')).text).toBe('fine')
})
