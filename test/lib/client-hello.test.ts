import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { ClientHelloReader } from '../../lib/client-hello.ts'
import { withEchGrease } from '../kit/clients/pieces.ts'

const peekClientHello = (bytes: Buffer) => new ClientHelloReader().push(bytes)

/** What a real TLS client sends first. */
const firstBytes = async (servername: string | undefined, ecdhCurve = 'auto'): Promise<Buffer> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the server has no port')
  const accepted: Promise<Socket[]> = once(server, 'connection') as Promise<Socket[]>
  const raw = connect(address.port, '127.0.0.1')
  const client = connectTls({
    socket: raw,
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: false,
    ecdhCurve,
    ALPNProtocols: ['h2', 'acme-tls/1'],
  })
  client.on('error', () => {})
  const [socket] = await accepted
  const [bytes] = (await once(socket!, 'data')) as [Buffer]
  socket!.destroy()
  client.destroy()
  server.close()
  return bytes
}

/** The same message in handshake records of at most `size` bytes. */
const inRecords = (bytes: Buffer, size: number): Buffer => {
  const message = bytes.subarray(5, 5 + bytes.readUInt16BE(3))
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(parts)
}

describe('the ClientHello', () => {
  let hello: Buffer
  beforeAll(async () => {
    hello = await firstBytes('Shop.example.org')
  })

  test('says which server is meant, as the client wrote it', () => {
    expect(peekClientHello(hello)).toEqual({ state: 'hello', serverName: 'Shop.example.org', protocols: ['h2', 'acme-tls/1'] })
  })

  test('need not name a server', async () => {
    expect(peekClientHello(await firstBytes(undefined))).toEqual({
      state: 'hello',
      serverName: undefined,
      protocols: ['h2', 'acme-tls/1'],
    })
  })

  test('may come split over TLS records of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), (size) => {
        expect(peekClientHello(inRecords(hello, size))).toEqual({
          state: 'hello',
          serverName: 'Shop.example.org',
          protocols: ['h2', 'acme-tls/1'],
        })
      }),
    )
  })

  test.each(['X25519MLKEM768', 'X25519'])(
    'of a client that offers %s only is read wherever it is cut, and with ECH GREASE',
    async (group) => {
      const real = await firstBytes('a.test', group)
      for (const bytes of [real, withEchGrease(real, (size) => Buffer.alloc(size, 7))]) {
        const wanted = { state: 'hello', serverName: 'a.test', protocols: ['h2', 'acme-tls/1'] }
        for (let cut = 1; cut < bytes.length; cut++) {
          const reader = new ClientHelloReader()
          expect(reader.push(bytes.subarray(0, cut)).state).toBe('more')
          expect(reader.push(bytes.subarray(cut))).toEqual(wanted)
        }
        const single = new ClientHelloReader()
        const states = Array.from(bytes, (byte) => single.push(Buffer.of(byte)))
        expect(states.map(({ state }) => state).filter((state) => state !== 'more')).toEqual(['hello'])
        expect(states.at(-1)).toEqual(wanted)
      }
      if (group === 'X25519MLKEM768') expect(real.length).toBeGreaterThan(1_460)
    },
  )

  test('is refused where the name is longer than any', () => {
    const [from, to] = [Buffer.from('Shop.example.org'), Buffer.alloc(256, 'a')]
    const at = hello.indexOf(from)
    const long = Buffer.concat([hello.subarray(0, at), to, hello.subarray(at + from.length)])
    const more = to.length - from.length
    // The name, its list, its extension; then all extensions, the message and the record.
    for (const place of [at - 2, at - 5, at - 7]) long.writeUInt16BE(long.readUInt16BE(place) + more, place)
    let extensions = 9 + 2 + 32
    extensions += 1 + (long[extensions] ?? 0)
    extensions += 2 + long.readUInt16BE(extensions)
    extensions += 1 + (long[extensions] ?? 0)
    for (const place of [extensions, 3, 7]) long.writeUInt16BE(long.readUInt16BE(place) + more, place)
    expect(peekClientHello(long)).toEqual({ state: 'bad', reason: 'its server name is malformed' })
  })

  test('is waited for at every place where it may be cut', () => {
    for (let cut = 0; cut < hello.length; cut++) expect(peekClientHello(hello.subarray(0, cut)).state).toBe('more')
    const split = inRecords(hello, 7)
    for (let cut = 0; cut < split.length; cut++) expect(peekClientHello(split.subarray(0, cut)).state).toBe('more')
  })

  test('is refused where its own lengths do not fit, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const broken = Buffer.from(hello)
        broken[at] = value
        expect(['more', 'bad', 'hello']).toContain(peekClientHello(broken).state)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (junk) =>
        ['more', 'bad', 'hello'].includes(peekClientHello(Buffer.from(junk)).state),
      ),
    )
  })

  test.each([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an SSLv2 hello', Buffer.from([0x80, 0x2e, 1, 0, 2])],
    ['an alert', Buffer.from([21, 3, 3, 0, 2, 2, 40])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record longer than TLS has', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a message longer than any hello', Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])],
  ])('is not %s', (_what, bytes) => {
    expect(peekClientHello(bytes).state).toBe('bad')
  })
})
