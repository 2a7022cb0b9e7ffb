import { expect } from 'vitest'
import { echoUpgrade } from '../backends/http.ts'
import { readHead } from '../backends/raw.ts'
import { echoWebSocket } from '../backends/websocket.ts'
import { openTls } from '../clients/socket.ts'
import { openWebSocket } from '../clients/ws.ts'
import { backend, bytesBackend, type Cases } from './cases.ts'
import { defer } from './world.ts'

const upgrade = { Connection: 'Upgrade', Upgrade: 'chat' }

/** Connections that stop being HTTP. */
export const upgrades: Cases = {
  'carries a WebSocket': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('', { upgrade: echoWebSocket })).url])
    const socket = await openTls({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
    const client = await openWebSocket(socket, 'a.test', '/chat')
    defer(client.close)
    for (const text of ['short', 'longer '.repeat(5_000), '']) {
      await client.send(text)
      expect((await client.next()).data.toString()).toBe(text)
    }
  },

  'carries any other protocol that is upgraded to': async (open) => {
    const world = await open()
    const web = await backend('', { upgrade: echoUpgrade })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const answer = await client.request('GET /', { Host: 'a.test', ...upgrade })
    expect([answer.status, answer.header('upgrade')]).toEqual([101, 'chat'])
    expect(web.requests[0]?.header('upgrade')).toBe('chat')
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
    await client.send(bytes)
    expect(await client.take(256)).toEqual(bytes)
  },

  'loses no byte that comes with the switch, from either side': async (open) => {
    const world = await open()
    const raw = await bytesBackend(async (connection) => {
      await readHead(connection)
      await connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nwelcome')
      await connection.send((await connection.take(5)).toString().toUpperCase())
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const client = await world.h1('a.test')
    await client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nearly')
    expect((await client.answer()).status).toBe(101)
    expect((await client.take(12)).toString()).toBe('welcomeEARLY')
  },

  'passes on that the backend will not upgrade': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend((_, response) => response.writeHead(403).end('no'))).url])
    const client = await world.h1('a.test')
    const answer = await client.request('GET /', { Host: 'a.test', ...upgrade })
    expect([answer.status, answer.text]).toEqual([403, 'no'])
  },

  'ends the one side of an upgraded connection when the other ends': async (open) => {
    const world = await open()
    const over = Promise.withResolvers<string>()
    const web = await backend('', {
      upgrade: (request, socket, head) => {
        echoUpgrade(request, socket, head)
        socket.once('close', () => over.resolve('over'))
      },
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const leaving = await world.h1('a.test')
    await leaving.request('GET /', { Host: 'a.test', ...upgrade })
    leaving.close()
    expect(await over.promise).toBe('over')
    const left = await world.h1('a.test')
    await left.request('GET /', { Host: 'a.test', ...upgrade })
    web.cut()
    await left.closed
  },

  'never upgrades to HTTP/2 without TLS': async (open) => {
    const world = await open()
    const web = await backend('plain')
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const h2c = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }
    const { status } = await client.request('GET /', { Host: 'a.test', ...h2c })
    expect([200, 400, 405]).toContain(status)
    for (const request of web.requests) {
      expect([request.header('upgrade'), request.header('http2-settings')]).toEqual([undefined, undefined])
    }
  },
}
