import { createHash, randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { expect } from 'vitest'
import { createAuthority } from '../authority.ts'
import { echoBody } from '../backends/http.ts'
import { http1 } from '../clients/h1.ts'
import { byteByByte, clientHello, inPieces, inRecords } from '../clients/pieces.ts'
import { openTcp } from '../clients/socket.ts'
import { backend, becomes, bytesBackend, type Cases } from './cases.ts'
import { defer } from './world.ts'

/** Hosts whose TLS ends at their own backend, on the port that also serves the others. */
export const passthrough: Cases = {
  "shows the backend's own certificate, beside terminated hosts on the same port": async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const pair = await tenant.issue(['own.test'])
    const own = await backend('own', { tls: pair })
    await world.set('1-1-own', 'own.test', [own.address], true)
    await world.set('1-1-a', 'a.test', [(await backend('ended here')).url])
    for (let round = 0; round < 3; round++) {
      const client = await world.h1('own.test', { ca: tenant.root })
      expect((client.socket as TLSSocket).getPeerCertificate().fingerprint256).toBe(pair.fingerprint)
      expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
      expect((await world.get('a.test')).text).toBe('ended here')
    }
  },

  'takes a passthrough backend written as https://': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend('own', { tls: await tenant.issue(['own.test']) })
    await world.set('1-1-own', 'own.test', [own.url], true)
    const client = await world.h1('own.test', { ca: tenant.root })
    expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
  },

  'finds the host in a ClientHello in pieces, in records and in upper case': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend('own', { tls: await tenant.issue(['own.test']) })
    await world.set('1-1-own', 'own.test', [own.address], true)
    for (const cut of [byteByByte, inRecords(3), inRecords(100)]) {
      const client = await world.h1('own.test', { ca: tenant.root, through: inPieces(cut) })
      expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
    }
    const client = await world.h1('OWN.TEST', { ca: tenant.root })
    expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
  },

  'hands the backend every byte as the client sent it, and back': async (open) => {
    const world = await open()
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(async (connection) => {
      expect(await connection.take(hello.length)).toEqual(hello)
      await connection.send('answer')
      await connection.send(await connection.take(5))
    })
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const client = http1(await openTcp({ port: world.where.https }))
    defer(client.close)
    await client.send(hello)
    expect((await client.take(6)).toString()).toBe('answer')
    await client.send('bytes')
    expect((await client.take(5)).toString()).toBe('bytes')
  },

  'lets the backend go on after the client has ended its side': async (open) => {
    const world = await open()
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(
      async (connection) => {
        const all = await connection.rest()
        connection.socket.end(`${all.length} bytes`)
      },
      { halfOpen: true },
    )
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const client = http1(await openTcp({ port: world.where.https }))
    defer(client.close)
    await client.send(hello)
    client.socket.end('the end')
    expect((await client.rest()).toString()).toBe(`${hello.length + 7} bytes`)
  },

  'carries 64 MiB both ways unchanged through a passthrough host': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend(echoBody, { tls: await tenant.issue(['own.test']) })
    await world.set('1-1-own', 'own.test', [own.address], true)
    const client = await world.h1('own.test', { ca: tenant.root })
    const [sent, got] = [createHash('sha256'), createHash('sha256')]
    await client.send(`POST / HTTP/1.1\r\nHost: own.test\r\nContent-Length: ${64 << 20}\r\n\r\n`)
    const answer = client.answer({ sink: (chunk) => got.update(chunk) })
    for (let count = 0; count < 64; count++) {
      const piece = randomBytes(1 << 20)
      sent.update(piece)
      await client.send(piece)
    }
    await answer
    expect(got.digest('hex')).toBe(sent.digest('hex'))
  },

  'ends both sides of a passthrough connection when one is gone': async (open) => {
    const world = await open()
    const hello = await clientHello('own.test')
    const raw = await bytesBackend(async (connection) => {
      await connection.take(hello.length)
      await connection.send('in')
    })
    await world.set('1-1-own', 'own.test', [raw.address], true)
    const connect = async () => {
      const client = http1(await openTcp({ port: world.where.https }))
      defer(client.close)
      await client.send(hello)
      await client.take(2)
      return client
    }
    const one = await connect()
    expect(raw.connections).toBe(1)
    one.close()
    await becomes(() => raw.connections, 0)
    const two = await connect()
    raw.cut()
    await two.closed
  },

  'closes the connection where no passthrough backend answers, and serves others': async (open) => {
    const world = await open()
    const gone = await backend()
    await gone.close()
    await world.set('1-1-own', 'own.test', [gone.address], true)
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    await expect(world.h1('own.test')).rejects.toThrow()
    expect((await world.get('a.test')).text).toBe('hello')
  },

  'moves a host from termination to passthrough and back': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend('own', { tls: await tenant.issue(['a.test']) })
    const web = await backend('ended here')
    for (let round = 0; round < 2; round++) {
      await world.set('1-1-a', 'a.test', [web.url])
      expect((await world.get('a.test')).text).toBe('ended here')
      await world.set('1-1-a', 'a.test', [own.address], true)
      const client = await world.h1('a.test', { ca: tenant.root })
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('own')
    }
  },
}
