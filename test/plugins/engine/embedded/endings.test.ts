import { once } from 'node:events'
import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { openTcp, openTls } from '../../../kit/clients/socket.ts'
import { backend, becomes, bytesBackend } from '../../../kit/engine/cases.ts'
import { defer, openWorld, type World } from '../../../kit/engine/world.ts'

const open = (limits: object = {}): Promise<World> =>
  openWorld(({ http, https, drain }) => embedded({ http: { port: http }, https: { port: https }, drain, limits }))()

/** A client that never ends its side. `closed`: the gateway has let go of the connection, so that a write to it is reset. */
const stubborn = async (world: World, how: 'plain' | 'bytes' | 'tls', first: string | Buffer) => {
  const port = how === 'plain' ? world.where.http : world.where.https
  const tcp = await openTcp({ port })
  tcp.allowHalfOpen = true
  const socket = how === 'tls' ? await openTls({ port }, { name: 'a.test', alpn: ['http/1.1'] }) : tcp
  socket.allowHalfOpen = true
  defer(() => socket.destroy())
  socket.resume().write(first)
  return socket
}

const upgrade = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
const malformed = 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'

test('every connection that was refused or had its last answer ends, though its client never closes it', async () => {
  const world = await open()
  await world.set('a', 'a.test', [(await backend('fine')).url])
  await world.set('b', 'b.test', [(await backend('fine')).url])
  const cases = [
    ['bytes', 'GET / HTTP/1.1\r\n\r\n'],
    ['bytes', Buffer.from('16030100050100000100', 'hex')],
    ['plain', malformed],
    ['plain', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
    ['plain', 'GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n'],
    ['plain', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nabc'],
    ['plain', 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n'],
    ['tls', malformed],
    ['tls', upgrade('nobody.test')],
    ['tls', upgrade('b.test')],
    ['tls', upgrade('a.test')],
    ['tls', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
    ['tls', 'GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n'],
    ['tls', 'POST / HTTP/1.1\r\nHost: a.test\r\nExpect: x\r\nContent-Length: 9\r\n\r\n'],
    ['tls', 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'],
  ] as const
  const held = await Promise.all(cases.map(([how, first]) => stubborn(world, how, first)))
  // What the client goes on to send is read and comes to nothing, until the connection is let go of.
  const ended = held.map(async (socket) => {
    const going = setInterval(() => socket.write('x'), 100)
    await new Promise((closed) => socket.once('close', closed))
    clearInterval(going)
  })
  await Promise.all(ended)
  expect((await world.get('a.test')).text).toBe('fine')
}, 30_000)

const next = 'GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n'

test.each([
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['another host in its target', 'GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n', 400],
  [
    'transfer codings in HTTP/1.0',
    'POST / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'a transfer coding that is not served',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a body behind two hosts', 'POST / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\nContent-Length: 2\r\n\r\nab', 400],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n', 405],
  ['an expectation that is not served', 'POST / HTTP/1.1\r\nHost: a.test\r\nExpect: x\r\nContent-Length: 2\r\n\r\nab', 417],
  ['a host of another connection', 'GET / HTTP/1.1\r\nHost: b.test\r\n\r\n', 421],
  ['a body that is too long', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 200\r\n\r\n' + 'x'.repeat(200), 413],
  ['Connection: close', 'GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n', 200],
])('no request is carried out that follows one with %s', async (_, first, status) => {
  const world = await open({ bodyBytes: 100 })
  const web = await backend('fine')
  await world.set('a', 'a.test', [web.url])
  await world.set('b', 'b.test', [web.url])
  const client = await world.h1('a.test')
  // In the same bytes, and in later ones.
  await client.send(first + next + next)
  expect((await client.answer()).status).toBe(status)
  client.send(next).catch(() => undefined)
  await client.closed
  await expect(client.answer()).rejects.toThrow()
  expect((await world.get('a.test', '/after')).text).toBe('fine')
  expect(web.requests.map(({ url }) => url)).not.toContain('/next')
})

test('an answer to an upgrade never goes out before those of earlier requests', async () => {
  const world = await open()
  const web = await backend(() => undefined)
  await world.set('a', 'a.test', [web.url])
  const client = await world.h1('a.test')
  await client.send(`GET /hang HTTP/1.1\r\nHost: a.test\r\n\r\n${upgrade('nobody.test')}`)
  await expect(client.answer()).rejects.toThrow()
})

test('a passed-through connection of which one side has ended is cut once it stays silent', async () => {
  const world = await open({ halfClosedSeconds: 0.5 })
  const raw = await bytesBackend(({ socket }) => void socket.resume())
  await world.set('p', 'p.test', [raw.address], true)
  const client = await stubborn(world, 'bytes', Buffer.from(clientHello('p.test')))
  await becomes(async () => (await world.bytes('p')).request > 0, true)
  client.end()
  await once(client, 'close')
})

/** A ClientHello with nothing in it but a server name. */
const clientHello = (name: string): number[] => {
  const vector = (size: 1 | 2 | 3, body: readonly number[]) => [
    ...[16, 8, 0].slice(3 - size).map((shift) => (body.length >> shift) & 255),
    ...body,
  ]
  const names = vector(2, [0, ...vector(2, [...Buffer.from(name)])])
  const extensions = vector(2, [0, 0, ...vector(2, names)])
  const hello = [3, 3, ...Array<number>(32).fill(7), 0, ...vector(2, [19, 1]), ...vector(1, [0]), ...extensions]
  return [22, 3, 1, ...vector(2, [1, ...vector(3, hello)])]
}
