import { expect } from 'vitest'
import type { Bytes } from '../../../core/index.ts'
import { echoWhole } from '../backends/http.ts'
import { readHead } from '../backends/raw.ts'
import { echoWebSocket } from '../backends/websocket.ts'
import { http1 } from '../clients/h1.ts'
import { clientHello } from '../clients/pieces.ts'
import { openTcp, openTls } from '../clients/socket.ts'
import { frame, openWebSocket } from '../clients/ws.ts'
import { backend, becomes, bytesBackend, type Cases, signal } from './cases.ts'
import { defer, type World } from './world.ts'

/** The counter comes to this, and this is also the last figure: nothing was missed, nothing counted twice. */
const amountsTo = async (world: World, id: string, request: number, response: number) => {
  await becomes(() => world.bytes(id), { request, response } satisfies Bytes)
  const last = world.removed(id)
  await world.delete(id)
  expect(await last).toEqual({ request, response })
}
const chunks = (text: string, size: number) => {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size))
  return `${pieces.map((piece) => `${piece.length.toString(16)};name=value\r\n${piece}\r\n`).join('')}0\r\nX-Trailer: not body\r\n\r\n`
}
const rawClient = async (world: World) => {
  const client = http1(await openTcp({ port: world.where.https }))
  defer(client.close)
  return client
}

/** Bytes per workload: bodies in HTTP, everything after an upgrade, the payload in passthrough. Billing stands on them. */
export const bytes: Cases = {
  'counts bodies both ways, on HTTP/1.1 and HTTP/2': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend(echoWhole)).url])
    const one = await world.h1('a.test')
    for (const size of [1, 0, 1_000, 100_000])
      await one.request('POST /', { Host: 'a.test', 'X-Not': 'counted' }, 'x'.repeat(size))
    const two = await world.h2('a.test')
    for (const size of [5, 70_000]) await two.request({ headers: { ':method': 'POST' }, body: 'x'.repeat(size) })
    await amountsTo(world, '1-1-a', 171_006, 171_006)
  },

  'counts what chunks hold, and not their framing or trailers': async (open) => {
    const world = await open()
    const raw = await bytesBackend(async (connection) => {
      await readHead(connection)
      let got = ''
      while (!got.endsWith('0\r\nX-Trailer: not body\r\n\r\n') && !got.endsWith('0\r\n\r\n')) got += await connection.some()
      await connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks('y'.repeat(5_000), 7)}`)
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const client = await world.h1('a.test')
    await client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks('x'.repeat(3_000), 11)}`)
    expect((await client.answer()).body).toHaveLength(5_000)
    await amountsTo(world, '1-1-a', 3_000, 5_000)
  },

  'counts no body where there is none: HEAD, 204, 304': async (open) => {
    const world = await open()
    const web = await backend((request, response) => {
      const status = Number(request.url?.slice(1))
      response.writeHead(status, status === 200 ? { 'Content-Length': 5_000 } : {}).end()
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.request('HEAD /200', { Host: 'a.test' })
    await client.request('GET /204', { Host: 'a.test' })
    await client.request('GET /304', { Host: 'a.test' })
    await (await world.h2('a.test')).request({ headers: { ':method': 'HEAD', ':path': '/200' } })
    await amountsTo(world, '1-1-a', 0, 0)
  },

  'counts what came through of an answer that the client leaves': async (open) => {
    const world = await open()
    const web = await backend((_, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 })
      response.write('x'.repeat(30_000))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const all = signal()
    let size = 0
    const sink = (chunk: Buffer) => {
      size += chunk.length
      if (size === 30_000) all.happen()
    }
    client.request('GET /', { Host: 'a.test' }, undefined, { sink }).catch(() => undefined)
    await all.happened
    client.close()
    await becomes(() => web.connections, 0)
    await amountsTo(world, '1-1-a', 0, 30_000)
  },

  'counts what came through of a request that the client breaks off': async (open) => {
    const world = await open()
    const all = signal()
    let size = 0
    const web = await backend((request) => {
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size === 40_000) all.happen()
      })
      request.on('error', () => undefined)
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(40_000)}`)
    await all.happened
    client.close()
    await becomes(() => web.connections, 0)
    await amountsTo(world, '1-1-a', 40_000, 0)
  },

  'counts what came through of an answer that the backend breaks off': async (open) => {
    const world = await open()
    const all = signal()
    const raw = await bytesBackend(async (connection) => {
      await readHead(connection)
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(20_000)}`)
      await all.happened
      connection.close()
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const client = await world.h1('a.test')
    let size = 0
    const sink = (chunk: Buffer) => {
      size += chunk.length
      if (size === 20_000) all.happen()
    }
    await expect(client.request('GET /', { Host: 'a.test' }, undefined, { sink })).rejects.toThrow('closed')
    await amountsTo(world, '1-1-a', 0, 20_000)
  },

  'counts an open transfer while it runs': async (open) => {
    const world = await open()
    const go = signal()
    const web = await backend(async (_, response) => {
      response.write('x'.repeat(12_345))
      await go.happened
      response.end('the end')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const answer = world.get('a.test')
    // Where the case fails before it is whole, nobody waits for it.
    answer.catch(() => undefined)
    await becomes(() => world.bytes('1-1-a'), { request: 0, response: 12_345 })
    go.happen()
    await answer
    await amountsTo(world, '1-1-a', 0, 12_352)
  },

  'counts both directions of a WebSocket, framing too': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('', { upgrade: echoWebSocket })).url])
    const client = await openWebSocket(
      await openTls({ port: world.where.https }, { name: 'a.test', ca: world.authority.root }),
      'a.test',
    )
    defer(client.close)
    let [request, response] = [0, 0]
    for (const text of ['', 'short', 'x'.repeat(60_000)]) {
      await client.send(text)
      expect((await client.next()).data).toHaveLength(text.length)
      request += frame(text).length + 4
      response += frame(text).length
    }
    await becomes(() => world.bytes('1-1-a'), { request, response })
    client.close()
    await amountsTo(world, '1-1-a', request, response)
  },

  'counts the payload of passthrough, the ClientHello included': async (open) => {
    const world = await open()
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(async (connection) => {
      await connection.take(hello.length + 5_000)
      await connection.send('y'.repeat(9_000))
    })
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const client = await rawClient(world)
    await client.send(hello)
    await client.send('x'.repeat(5_000))
    await client.take(9_000)
    await becomes(() => world.bytes('1-1-own'), { request: hello.length + 5_000, response: 9_000 })
    client.close()
    await amountsTo(world, '1-1-own', hello.length + 5_000, 9_000)
  },

  'does not count a PROXY header': async (open) => {
    const world = await open({ sendProxy: 'v1' })
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(async (connection) => {
      await connection.line()
      await connection.take(hello.length)
      await connection.send('answer')
    })
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const client = await rawClient(world)
    await client.send(hello)
    await client.take(6)
    client.close()
    await amountsTo(world, '1-1-own', hello.length, 6)
  },
}
