import { expect } from 'vitest'
import type { Handler } from '../backends/http.ts'
import { echoWebSocket } from '../backends/websocket.ts'
import { http1 } from '../clients/h1.ts'
import { clientHello } from '../clients/pieces.ts'
import { openTcp, openTls } from '../clients/socket.ts'
import { openWebSocket } from '../clients/ws.ts'
import { backend, bytesBackend, type Cases, signal } from './cases.ts'
import { defer, type World } from './world.ts'

/** Begins an answer, and ends it when `go` happens. */
const held =
  (go: Promise<void>): Handler =>
  async (_, response) => {
    response.write('begun ')
    await go
    response.end('and ended')
  }
const never = new Promise<void>(() => undefined)

/** A request whose answer has begun. */
const running = async (world: World, host: string) => {
  const begun = signal()
  const client = await world.h1(host)
  const answer = client.request('GET /', { Host: host }, undefined, { started: () => begun.happen() })
  answer.catch(() => undefined)
  await begun.happened
  return { client, answer }
}
const webSocket = async (world: World, host: string) => {
  const client = await openWebSocket(await openTls({ port: world.where.https }, { name: host, ca: world.authority.root }), host)
  defer(client.close)
  return client
}

/** What a delete does to those who are still there. */
export const drain: Cases = {
  'takes no new request once a delete is answered': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'a.wild.test', [web.url])
    await world.set('1-1-b', 'b.wild.test', [(await backend('stays')).url])
    const [one, two] = [await world.h1('a.wild.test'), await world.h2('a.wild.test')]
    await one.request('GET /', { Host: 'a.wild.test' })
    await two.request({ headers: {} })
    const before = web.requests.length
    await world.delete('1-1-a')
    const after = await Promise.all([
      one.request('GET /', { Host: 'a.wild.test' }).then(
        ({ status }) => status,
        () => 'closed',
      ),
      two.request({ headers: {} }).then(
        ({ status }) => status,
        () => 'closed',
      ),
      world.get('a.wild.test').then(
        ({ status }) => status,
        () => 'closed',
      ),
    ])
    for (const outcome of after) expect([404, 421, 'closed']).toContain(outcome)
    expect(web.requests).toHaveLength(before)
    expect((await world.get('b.wild.test')).text).toBe('stays')
  },

  'lets a running download finish within the drain deadline, then says removed': async (open) => {
    const world = await open({ drain: 10 })
    const go = signal()
    await world.set('1-1-a', 'a.test', [(await backend(held(go.happened))).url])
    const idle = await world.h1('a.test')
    const { answer } = await running(world, 'a.test')
    const removed = world.removed('1-1-a')
    await world.delete('1-1-a')
    go.happen()
    expect((await answer).text).toBe('begun and ended')
    expect(await removed).toEqual({ request: 0, response: 15 })
    idle.close()
  },

  'says removed as soon as the last request is over, not at the deadline': async (open) => {
    const world = await open({ drain: 30 })
    await world.set('1-1-a', 'a.test', [(await backend('whole')).url])
    expect((await world.get('a.test')).text).toBe('whole')
    const removed = world.removed('1-1-a')
    const began = performance.now()
    await world.delete('1-1-a')
    expect(await removed).toEqual({ request: 0, response: 5 })
    expect(performance.now() - began).toBeLessThan(30_000)
  },

  'lets a running upload finish within the drain deadline': async (open) => {
    const world = await open({ drain: 30 })
    const came = signal()
    const web = await backend((request, response) => {
      let size = 0
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        came.happen()
      })
      request.on('end', () => response.end(`took ${size}`))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nfirst')
    await came.happened
    await world.delete('1-1-a')
    await client.send('after')
    expect((await client.answer()).text).toBe('took 10')
  },

  'cuts a download that outlasts the deadline, on HTTP/1.1 and HTTP/2, and says removed': async (open) => {
    const world = await open({ drain: 1 })
    await world.set('1-1-a', 'a.test', [(await backend(held(never))).url])
    const { answer } = await running(world, 'a.test')
    const begun = signal()
    const two = (await world.h2('a.test')).request({ headers: {}, sink: () => begun.happen() })
    two.catch(() => undefined)
    await begun.happened
    const removed = world.removed('1-1-a')
    await world.delete('1-1-a')
    await expect(answer).rejects.toThrow('closed')
    await expect(two).rejects.toThrow()
    expect(await removed).toEqual({ request: 0, response: 12 })
  },

  'lets a WebSocket talk on until the deadline, then cuts it': async (open) => {
    const world = await open({ drain: 2 })
    await world.set('1-1-a', 'a.test', [(await backend('', { upgrade: echoWebSocket })).url])
    const client = await webSocket(world, 'a.test')
    const removed = world.removed('1-1-a')
    await world.delete('1-1-a')
    await client.send('still here')
    expect((await client.next()).data.toString()).toBe('still here')
    await client.http.closed
    expect(await removed).toEqual({ request: 16, response: 12 })
  },

  'lets a passthrough connection talk on until the deadline, then cuts it': async (open) => {
    const world = await open({ drain: 2 })
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(async (connection) => {
      await connection.take(hello.length)
      for (;;) await connection.send(await connection.some())
    })
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const client = http1(await openTcp({ port: world.where.https }))
    defer(client.close)
    await client.send(hello)
    await client.send('ping')
    expect((await client.take(4)).toString()).toBe('ping')
    const removed = world.removed('1-1-own')
    await world.delete('1-1-own')
    await client.send('still here')
    expect((await client.take(10)).toString()).toBe('still here')
    await client.closed
    expect(await removed).toEqual({ request: hello.length + 14, response: 14 })
  },

  'cuts nobody else when a deadline comes': async (open) => {
    const world = await open({ drain: 1 })
    const go = signal()
    await world.set('1-1-a', 'a.wild.test', [(await backend(held(never))).url])
    await world.set('2-1-b', 'b.wild.test', [(await backend(held(go.happened), { upgrade: echoWebSocket })).url])
    const mine = await running(world, 'a.wild.test')
    const other = await running(world, 'b.wild.test')
    const socket = await webSocket(world, 'b.wild.test')
    await world.delete('1-1-a')
    await expect(mine.answer).rejects.toThrow('closed')
    go.happen()
    expect((await other.answer).text).toBe('begun and ended')
    await socket.send('here')
    expect((await socket.next()).data.toString()).toBe('here')
  },

  'serves a workload that is set again while its old connections drain': async (open) => {
    const world = await open({ drain: 30 })
    const go = signal()
    await world.set('1-1-a', 'a.wild.test', [(await backend(held(go.happened))).url])
    const { answer } = await running(world, 'a.wild.test')
    await world.delete('1-1-a')
    await world.set('1-1-a', 'a.wild.test', [(await backend('new')).url])
    expect((await world.get('a.wild.test')).text).toBe('new')
    go.happen()
    expect((await answer).text).toBe('begun and ended')
    expect((await world.get('a.wild.test')).text).toBe('new')
  },
}
