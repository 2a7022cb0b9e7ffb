import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { type EmbeddedOptions, embedded } from '../../../../plugins/engine/embedded/index.ts'
import { echoUpgrade } from '../../../kit/backends/http.ts'
import { http1 } from '../../../kit/clients/h1.ts'
import { readAnswer2 } from '../../../kit/clients/h2.ts'
import { clientHello, inPieces } from '../../../kit/clients/pieces.ts'
import { openTcp, openTls } from '../../../kit/clients/socket.ts'
import { backend, bytesBackend } from '../../../kit/engine/cases.ts'
import { defer, openWorld, type World } from '../../../kit/engine/world.ts'

const limited = (limits: NonNullable<EmbeddedOptions['limits']>): Promise<World> =>
  openWorld(({ http, https, drain }) => embedded({ http: { port: http }, https: { port: https }, drain, limits }))()

/** Sends a byte of a body now and then, so that it never stalls and never ends. */
const trickle = (send: () => void) => {
  const timer = setInterval(send, 50)
  defer(() => clearInterval(timer))
}

test('a request whose body takes too long is answered 408, over HTTP/1.1 and HTTP/2, and others are served', async () => {
  const world = await limited({ bodySeconds: 1 })
  const web = await backend((request, response) => request.resume().on('end', () => response.end('hello')))
  await world.set('1-1-a', 'a.test', [web.url])
  await world.set('2-2-b', 'b.test', [web.url])

  const one = await world.h1('a.test')
  await one.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n')
  trickle(() => one.send('x').catch(() => undefined))
  const two = (await world.h2('a.test')).open({ ':method': 'POST' })
  trickle(() => two.writable && two.write('x'))
  const answers = Promise.all([one.answer(), readAnswer2(two)])
  expect((await world.get('b.test')).text).toBe('hello')
  expect((await answers).map(({ status }) => status)).toEqual([408, 408])
})

test('an answer that stalls is broken off, where the client can tell', async () => {
  const world = await limited({ stallSeconds: 1 })
  const web = await backend((_, response) => response.writeHead(200, { 'Content-Length': 10 }).write('half'))
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h1('a.test')
  await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  await expect(client.answer()).rejects.toThrow()
  await expect((await world.h2('a.test')).request({ headers: {} })).rejects.toThrow()
})

test('an upgraded connection and a passed-through one are cut when nothing moves for too long, and not before', async () => {
  const world = await limited({ tunnelIdleSeconds: 2 })
  const gone: string[] = []
  const web = await backend('', { upgrade: echoUpgrade })
  const raw = await bytesBackend(async (connection) => {
    await connection.take(1)
    await connection.closed
    gone.push('backend')
  })
  await world.set('1-1-a', 'a.test', [web.url])
  await world.set('1-1-p', 'p.test', [raw.address], true)

  const client = await world.h1('a.test')
  expect((await client.request('GET /', { Host: 'a.test', Connection: 'Upgrade', Upgrade: 'chat' })).status).toBe(101)
  await client.send('x')
  expect((await client.take(1)).toString()).toBe('x')
  const passed = openTls({ port: world.where.https }, { name: 'p.test' })
  await expect(passed).rejects.toThrow()
  await client.closed
  await expect.poll(() => gone, { timeout: 20_000 }).toEqual(['backend'])
})

/** Client and gateway are this process: neither does anything meanwhile. */
const standStill = (milliseconds: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)

test('a handshake is not given up while what the client sent in time waits to be read', async () => {
  const world = await limited({ handshakeSeconds: 4 })
  await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
  const hello = await clientHello('a.test')
  const early = http1(await openTcp({ port: world.where.https }))
  defer(early.close)
  await early.send(hello.subarray(0, 60))

  const through = (socket: Socket) => {
    const stream = inPieces((whole) => [whole])(socket)
    const write = socket.write.bind(socket)
    let writes = 0
    // The second one ends the handshake, of which the gateway has done its part.
    socket.write = (chunk: string | Uint8Array, ...more: never[]) => {
      const went = write(chunk, ...more)
      if (++writes !== 2) return went
      early.socket.write(hello.subarray(60))
      standStill(5_000)
      return went
    }
    return stream
  }
  const client = await world.h1('a.test', { through })
  expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('fine')
  // An answer to its ClientHello: a record of the handshake (RFC 8446 section 5.1).
  expect((await early.take(1))[0]).toBe(22)
})
