import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { type EmbeddedOptions, embedded } from '../../../../plugins/engine/embedded/index.ts'
import { echoUpgrade } from '../../../kit/backends/http.ts'
import { readHead } from '../../../kit/backends/raw.ts'
import { http1 } from '../../../kit/clients/h1.ts'
import { readAnswer2 } from '../../../kit/clients/h2.ts'
import { frameType, headerBlock, openFrames } from '../../../kit/clients/h2-frames.ts'
import { clientHello, inPieces } from '../../../kit/clients/pieces.ts'
import { openTcp, openTls } from '../../../kit/clients/socket.ts'
import { backend, becomes, bytesBackend, signal } from '../../../kit/engine/cases.ts'
import { defer, idOf, openWorld, type World } from '../../../kit/engine/world.ts'

const limited = (limits: NonNullable<EmbeddedOptions['limits']>, more: EmbeddedOptions = {}): Promise<World> =>
  openWorld(({ http, https, drain }) => embedded({ http: { port: http }, https: { port: https }, drain, limits, ...more }))()

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

/** Somebody who is about to send; what comes of it once it was sent. */
interface Waiting {
  send(): unknown
  readonly got: Promise<unknown>
}

test('what was sent in time is served, however long the gateway itself stands still before it reads it', async () => {
  const times = { headerSeconds: 5, idleSeconds: 5, bodySeconds: 5, responseSeconds: 5, stallSeconds: 5, tunnelIdleSeconds: 5 }
  const world = await limited(times)
  const held = new Map<string | undefined, ServerResponse>()
  const web = await backend(
    (request, response) => {
      if (request.url === '/begun') response.write('fi')
      if (request.url === '/') request.resume().on('end', () => response.end('fine'))
      else held.set(request.url, response)
    },
    { upgrade: echoUpgrade },
  )
  const raw = await bytesBackend(async (connection) => {
    for (;;) await connection.send(await connection.some())
  })
  await world.set('1-1-a', 'a.test', [web.url])
  await world.set('1-1-p', 'p.test', [raw.address], true)

  const text = (client: { answer(): Promise<{ text: string }> }) => client.answer().then((answer) => answer.text)
  const frames = async () => {
    const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
    defer(client.close)
    // Acknowledges the SETTINGS that come first: nothing may stand within a header block.
    await client.next()
    return client
  }
  const fields = Object.entries({ ':method': 'POST', ':scheme': 'https', ':authority': 'a.test', ':path': '/' })
  const waiting: Record<string, () => Promise<Waiting>> = {
    'the end of a head': async () => {
      const client = await world.h1('a.test')
      await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n')
      return { send: () => client.socket.write('\r\n'), got: text(client) }
    },
    'the end of a head, in the clear': async () => {
      const client = await world.plain()
      await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n')
      return { send: () => client.socket.write('\r\n'), got: client.answer().then(({ status }) => status) }
    },
    'a request on an idle connection': async () => {
      const client = await world.h1('a.test')
      await client.request('GET /', { Host: 'a.test' })
      return { send: () => client.socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'), got: text(client) }
    },
    'the end of a body': async () => {
      const client = await world.h1('a.test')
      await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\na')
      return { send: () => client.socket.write('b'), got: text(client) }
    },
    'the end of a header block': async () => {
      const client = await frames()
      const block = headerBlock(fields)
      await client.send(frameType.headers, 1, 1, block.subarray(0, 5))
      return { send: () => client.send(frameType.more, 4, 1, block.subarray(5)), got: client.outcome(1) }
    },
    'a stream on an idle connection': async () => {
      const client = await frames()
      return { send: () => client.headers(1, fields, true), got: client.outcome(1) }
    },
    'the end of the body of a stream': async () => {
      const client = await frames()
      await client.headers(1, fields, false)
      return { send: () => client.send(frameType.data, 1, 1, Buffer.from('a')), got: client.outcome(1) }
    },
    'bytes of an upgraded connection': async () => {
      const client = await world.h1('a.test')
      await client.request('GET /', { Host: 'a.test', Connection: 'Upgrade', Upgrade: 'chat' })
      return { send: () => client.socket.write('fine'), got: client.take(4).then(String) }
    },
    'bytes of a passed-through connection': async () => {
      const client = http1(await openTcp({ port: world.where.https }))
      defer(client.close)
      const hello = await clientHello('p.test')
      await client.send(hello)
      await client.take(hello.length)
      return { send: () => client.socket.write('fine'), got: client.take(4).then(String) }
    },
    'the answer of a backend': () => answering('/late', 'fine'),
    'the rest of an answer': () => answering('/begun', 'ne'),
  }
  const answering = async (path: string, rest: string): Promise<Waiting> => {
    const client = await world.h1('a.test')
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
    await expect.poll(() => held.has(path), { timeout: 20_000 }).toBe(true)
    return { send: () => held.get(path)?.end(rest), got: text(client) }
  }

  const all = await Promise.all(Object.entries(waiting).map(async ([what, begin]) => ({ what, ...(await begin()) })))
  // Where timers come next in a turn of the event loop, and reading behind them.
  await new Promise((done) => setImmediate(done))
  for (const { send } of all) send()
  standStill(7_000)
  const got = await Promise.all(all.map(async ({ what, got }) => [what, await got.catch((error: Error) => error.message)]))
  const wanted = (what: string) => (/stream|block/.test(what) ? 'ok' : what.endsWith('in the clear') ? 301 : 'fine')
  expect(got).toEqual(Object.keys(waiting).map((what) => [what, wanted(what)]))
})

test('a backend is not found unwell because the gateway itself stood still', async () => {
  const checks = { path: '/health', intervalSeconds: 0.2, timeoutSeconds: 1 }
  const world = await limited({}, { health: checks })
  let asked = 0
  const enough = signal()
  const web = await backend((request, response) => {
    response.end('fine')
    if (request.url !== '/health') return
    if (++asked > 2) enough.happen()
    else standStill(3_000)
  })
  await world.set('1-1-a', 'a.test', [web.url])
  expect((await world.get('a.test')).text).toBe('fine')
  await enough.happened
  expect(world.log.filter((line) => line.includes('not well'))).toEqual([])
})

test('what a client sends on behind its answer counts, in a reading since one before too', async () => {
  const world = await limited({})
  const web = await bytesBackend(async (connection) => {
    await readHead(connection)
    await connection.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno')
  })
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h1('a.test')
  await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5000\r\n\r\nbegun')
  expect((await client.answer()).status).toBe(401)
  await becomes(() => world.bytes('1-1-a'), { request: 5, response: 2 })
  const { mark } = await world.traffic()
  expect((await world.traffic(mark)).bytes.size).toBe(0)
  await client.send('x'.repeat(4_000))
  await becomes(async () => (await world.traffic(mark)).bytes.get(idOf('1-1-a')), { request: 4_005, response: 2 })
})
