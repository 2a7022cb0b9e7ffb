import { expect } from 'vitest'
import { embedded } from '../../plugins/engine/embedded/index.ts'
import { http1 } from '../kit/clients/h1.ts'
import { clientHello } from '../kit/clients/pieces.ts'
import { openTcp } from '../kit/clients/socket.ts'
import { backend, signal } from '../kit/engine/cases.ts'
import { defer, openWorld, type World } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { swarm, swarmSize } from './swarm.ts'

/** Short limits of every kind that the engine has. */
const impatient = openWorld(({ http, https }) =>
  embedded({
    http: { port: http },
    https: { port: https },
    // All of the swarm come from one address.
    limits: {
      connections: 100_000,
      clientConnections: 0,
      clientHandshakes: 0,
      clientFailures: 0,
      handshakeSeconds: 1,
      headerSeconds: 1,
      idleSeconds: 1,
      bodySeconds: 1,
      stallSeconds: 1,
    },
  }),
)

const tcp = async (world: World, bytes: Uint8Array) => {
  const client = http1(await openTcp({ port: world.where.https }))
  defer(client.close)
  if (bytes.length > 0) await client.send(bytes)
  return client
}
const secure = async (world: World, bytes: string) => {
  const client = await world.h1('a.test')
  await client.send(bytes)
  return client
}
const post = 'POST / HTTP/1.1\r\nHost: a.test\r\n'

/** Clients that begin, and go no further. */
const stalls: Readonly<Record<string, (world: World, hello: Buffer) => Promise<{ readonly closed: Promise<unknown> }>>> = {
  'nothing at all': (world) => tcp(world, Buffer.alloc(0)),
  'a byte of a ClientHello': (world, hello) => tcp(world, hello.subarray(0, 1)),
  'half a ClientHello': (world, hello) => tcp(world, hello.subarray(0, hello.length / 2)),
  'a ClientHello and no more': (world, hello) => tcp(world, hello),
  'no request': (world) => secure(world, ''),
  'half a request line': (world) => secure(world, 'GET / HT'),
  'half a head': (world) => secure(world, 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: '),
  'half a body': (world) => secure(world, `${post}Content-Length: 1000\r\n\r\nhalf`),
  'half a chunk': (world) => secure(world, `${post}Transfer-Encoding: chunked\r\n\r\n100\r\nhalf`),
  'nothing over HTTP/2': (world) => world.h2('a.test'),
}

faultOn(
  23,
  'clients that begin and stall, at any point from the first byte to the last, are closed, and others are served meanwhile',
  { embedded: impatient },
  async (open) => {
    const world = await open()
    await using _old = await oldRoute(world)
    const cut = signal()
    const large = Buffer.alloc(32 * 1_048_576)
    const web = await backend((request, response) => {
      if (request.url === '/large') {
        response.on('close', cut.happen)
        return response.end(large)
      }
      request.resume()
      request.on('end', () => response.end('fine'))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const hello = await clientHello('a.test')
    for (const [name, begin] of Object.entries(stalls)) {
      const clients = await swarm(swarmSize(30), () => begin(world, hello))
      expect((await world.get('a.test')).text, name).toBe('fine')
      await Promise.all(clients.map(({ closed }) => closed))
    }
    // And one that reads nothing of a large answer: its backend has it to itself no longer.
    const client = await secure(world, 'GET /large HTTP/1.1\r\nHost: a.test\r\n\r\n')
    client.socket.pause()
    await cut.happened
  },
)

faultOn(
  23,
  'a ClientHello for a passed-through host that stalls is closed, and one in single bytes is served',
  engines,
  async (open) => {
    const world = await open({ limits: { handshakeSeconds: 2 } })
    await using _old = await oldRoute(world)
    const own = await backend('own', { tls: await world.authority.issue(['own.test']) })
    await world.set('1-1-own', 'own.test', [own.address], true)
    const hello = await clientHello('own.test')
    const stalled = await swarm(10, () => tcp(world, hello.subarray(0, hello.length - 1)))
    const whole = await tcp(world, Buffer.alloc(0))
    for (const byte of hello) await whole.send(Buffer.of(byte))
    expect((await whole.take(1))[0]).toBe(22)
    expect((await world.get('own.test')).text).toBe('own')
    await Promise.all(stalled.map(({ closed }) => closed))
  },
)
