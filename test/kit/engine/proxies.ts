import { expect } from 'vitest'
import { createAuthority } from '../authority.ts'
import { readHead } from '../backends/raw.ts'
import { http1 } from '../clients/h1.ts'
import { clientHello } from '../clients/pieces.ts'
import { type Peer, proxyV1, proxyV2, readProxyHeader } from '../clients/proxy-protocol.ts'
import { openTcp } from '../clients/socket.ts'
import { backend, bytesBackend, type Cases, signal } from './cases.ts'
import { defer, type World } from './world.ts'

const source: Peer = { address: '192.0.2.7', port: 4_321 }
const target: Peer = { address: '127.0.0.1', port: 443 }
const balancer = '127.0.0.9'

/** A backend of bytes that tells the PROXY header it got, and says `ok` to the rest. */
const telling = async () => {
  const told = signal<{ source: Peer; target: Peer; rest: Buffer }>()
  const raw = await bytesBackend(async (connection) => {
    let data = Buffer.alloc(0)
    for (let read = readProxyHeader(data); ; read = readProxyHeader(data)) {
      if (read && read.rest.length > 0) {
        told.happen(read)
        return connection.send('ok')
      }
      data = Buffer.concat([data, await connection.some()])
    }
  })
  return { address: raw.address, told: told.happened }
}
const connect = async (world: World, before?: Buffer, from?: string) => {
  const socket = await openTcp({ port: world.where.https, ...(before && { before }), ...(from && { from }) })
  const client = http1(socket)
  defer(client.close)
  return { client, port: socket.localPort ?? 0 }
}

/** The PROXY protocol, in from a load balancer and out to passthrough backends. */
export const proxies: Cases = {
  'takes the address of the client from a PROXY header, version 1 and 2': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`] })
    const web = await backend('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    const six = { address: '2001:db8::7', port: 1 }
    const headers = [proxyV1(source, target), proxyV2(source, target), proxyV1(six, { ...six, port: 443 })]
    for (const before of headers) {
      const client = await world.h1('a.test', {}, { before, from: balancer })
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('hello')
    }
    const two = await world.h2('a.test', {}, { before: proxyV2(source, target), from: balancer })
    await two.request({ headers: {} })
    const { address } = source
    expect(web.requests.map(({ header }) => header('x-forwarded-for'))).toEqual([address, address, six.address, address])
  },

  'takes a PROXY header of the balancer itself, which speaks for nobody': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`] })
    const web = await backend('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    for (const before of [proxyV2(source, target, true), Buffer.from('PROXY UNKNOWN\r\n')]) {
      const client = await world.h1('a.test', {}, { before, from: balancer })
      await client.request('GET /', { Host: 'a.test' })
    }
    expect(web.requests.map(({ header }) => header('x-forwarded-for'))).toEqual([balancer, balancer])
  },

  'takes a PROXY header on the port of plain HTTP': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`] })
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    const client = await world.plain({ before: proxyV1(source, target), from: balancer })
    expect((await client.request('GET /', { Host: 'a.test' })).status).toBeLessThan(400)
  },

  'believes no PROXY header of anybody else': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`] })
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const stranger = '127.0.0.8'
    for (const before of [proxyV1(source, target), proxyV2(source, target)]) {
      // Closed on, or served as who it is.
      const client = await world.h1('a.test', {}, { before, from: stranger }).catch(() => undefined)
      await client?.request('GET /', { Host: 'a.test' })
    }
    for (const { header } of web.requests) expect(header('x-forwarded-for')).toBe(stranger)
    const before = web.requests.length
    expect((await (await world.h1('a.test')).request('GET /', { Host: 'a.test' })).status).toBe(200)
    expect(web.requests[before]?.header('x-forwarded-for')).toBe('127.0.0.1')
  },

  'closes a connection whose PROXY header is broken or stalls, and serves others': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`], limits: { handshakeSeconds: 1 } })
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    const broken = ['PROXY TCP4 x y 1 2\r\n', `PROXY TCP4 ${' '.repeat(200)}`, 'PROXY', '\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c']
    const closed = await Promise.all(
      broken.map(async (text) => (await connect(world, Buffer.from(text, 'latin1'), balancer)).client.closed),
    )
    expect(closed).toHaveLength(broken.length)
    expect((await world.get('a.test')).status).toBe(200)
  },

  'tells a passthrough backend the address of the client, version 1': async (open) => {
    const world = await open({ sendProxy: 'v1' })
    const { address, told } = await telling()
    await world.set('1-1-own', 'own.test', [address], true)
    const { client, port } = await connect(world)
    const hello = await clientHello('own.test')
    await client.send(hello)
    expect((await client.take(2)).toString()).toBe('ok')
    const { source: who, target: where, rest } = await told
    expect([who, where.port, rest]).toEqual([{ address: '127.0.0.1', port }, world.where.https, hello])
  },

  'tells a passthrough backend the address of the client, version 2': async (open) => {
    const world = await open({ sendProxy: 'v2' })
    const { address, told } = await telling()
    await world.set('1-1-own', 'own.test', [address], true)
    const { client, port } = await connect(world)
    await client.send(await clientHello('own.test'))
    expect((await client.take(2)).toString()).toBe('ok')
    expect((await told).source).toEqual({ address: '127.0.0.1', port })
  },

  'hands on to a passthrough backend what a PROXY header said': async (open) => {
    const world = await open({ acceptProxy: [`${balancer}/32`], sendProxy: 'v1' })
    const { address, told } = await telling()
    await world.set('1-1-own', 'own.test', [address], true)
    const { client } = await connect(world, proxyV2(source, target), balancer)
    await client.send(await clientHello('own.test'))
    expect((await client.take(2)).toString()).toBe('ok')
    expect((await told).source).toEqual(source)
  },

  'sends no PROXY header where none is asked for': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend('own', { tls: await tenant.issue(['own.test']) })
    const raw = await bytesBackend(async (connection) => {
      expect((await readHead(connection))[0]).toBe('GET / HTTP/1.1')
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    await world.set('1-1-own', 'own.test', [own.address], true)
    await world.set('1-1-a', 'a.test', [raw.url])
    const client = await world.h1('own.test', { ca: tenant.root })
    expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('own')
    expect((await world.get('a.test')).status).toBe(200)
  },
}
