import type { TLSSocket } from 'node:tls'
import { expect } from 'vitest'
import { http1 } from '../clients/h1.ts'
import { byteByByte, clientHello, inPieces, inRecords } from '../clients/pieces.ts'
import { openTcp, openTls } from '../clients/socket.ts'
import { backend, type Cases, eventually } from './cases.ts'
import { defer, idOf, type World } from './world.ts'

const fingerprint = async (world: World, host: string) => {
  const socket = await openTls({ port: world.where.https }, { name: host, ca: world.authority.root })
  const found = socket.getPeerCertificate().fingerprint256
  socket.end()
  return found
}

/** Handshakes and certificates of hosts whose TLS ends at the engine. */
export const tls: Cases = {
  'understands a ClientHello that comes byte by byte': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    const client = await world.h1('a.test', { through: inPieces(byteByByte) })
    expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('hello')
  },

  'understands a ClientHello that is split over TLS records': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    for (const size of [3, 50, 200]) {
      const client = await world.h1('a.test', { through: inPieces(inRecords(size)) })
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('hello')
    }
  },

  'closes a connection whose ClientHello stalls, and serves others meanwhile': async (open) => {
    const world = await open({ limits: { handshakeSeconds: 1 } })
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    const hello = await clientHello('a.test')
    const stalled = await Promise.all(
      [0, 1, 5, 60, hello.length].map(async (count) => {
        const client = http1(await openTcp({ port: world.where.https }))
        defer(client.close)
        if (count > 0) await client.send(hello.subarray(0, count))
        return client
      }),
    )
    expect((await world.get('a.test')).text).toBe('hello')
    await Promise.all(stalled.map(({ closed }) => closed))
    expect((await world.get('a.test')).text).toBe('hello')
  },

  'closes a connection that does not begin with TLS': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    for (const noise of [
      'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
      '\0'.repeat(600),
      '\x16\x03\x01\x40\x00'.padEnd(20_000, 'x'),
    ]) {
      const client = http1(await openTcp({ port: world.where.https }))
      defer(client.close)
      client.send(noise).catch(() => undefined)
      await client.closed
    }
    expect(web.requests).toEqual([])
    expect((await world.get('a.test')).status).toBe(200)
  },

  'closes at once on a client that stops sending in the middle of a handshake': async (open) => {
    const world = await open({ limits: { handshakeSeconds: 100 } })
    await world.set('1-1-a', 'a.test', [(await backend('here')).url])
    const socket = await openTcp({ port: world.where.https })
    socket.end(await clientHello('a.test'))
    await http1(socket).closed
    expect((await world.get('a.test')).text).toBe('here')
  },

  'refuses the handshake for a host without a certificate, and serves others': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    const wanted = { id: idOf('1-1-b'), fqdn: 'b.pending.test', backends: [web.url], passthrough: false }
    await world.gateway.dispatch({ do: 'set-fqdn', ...wanted })
    await expect(world.h1('b.pending.test')).rejects.toThrow()
    await expect(world.h1('nobody.test')).rejects.toThrow()
    expect((await world.get('a.test')).text).toBe('hello')
  },

  'prefers the certificate of the exact name to the wildcard': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-wild', 'one.wild.test', [web.url])
    await world.set('1-1-exact', 'exact.wild.test', [web.url])
    await world.set('1-1-two', 'two.wild.test', [web.url])
    const [one, exact, two] = await Promise.all(['one', 'exact', 'two'].map((name) => fingerprint(world, `${name}.wild.test`)))
    expect(one).toBe(two)
    expect(exact).not.toBe(one)
  },

  'shows a replaced certificate to new connections and leaves open ones be': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    const old = await world.h1('a.test')
    const before = (old.socket as TLSSocket).getPeerCertificate().fingerprint256
    expect((await old.request('GET /', { Host: 'a.test' })).text).toBe('hello')
    const [held] = world.gateway.certificates.list().filter(({ names }) => names.includes('a.test'))
    await world.gateway.certificates.renew(held?.id ?? '')
    await eventually(async () => expect(await fingerprint(world, 'a.test')).not.toBe(before))
    expect((await old.request('GET /', { Host: 'a.test' })).text).toBe('hello')
  },

  'refuses TLS before 1.2': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    for (const max of ['TLSv1', 'TLSv1.1'] as const) await expect(world.h1('a.test', { min: 'TLSv1', max })).rejects.toThrow()
    const client = await world.h1('a.test', { max: 'TLSv1.2' })
    expect((client.socket as TLSSocket).getProtocol()).toBe('TLSv1.2')
  },

  'refuses TLS 1.2 where 1.3 is the lowest': async (open) => {
    const world = await open({ minTls: 'TLSv1.3' })
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    await expect(world.h1('a.test', { max: 'TLSv1.2' })).rejects.toThrow()
    expect((await world.get('a.test')).text).toBe('hello')
  },
}
