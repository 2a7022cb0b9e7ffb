import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type Http1, http1 } from './h1.ts'

export interface Frame {
  readonly opcode: number
  readonly data: Buffer
}
/** A WebSocket as bytes (RFC 6455): `frame` is what `send` writes, so a test knows what it sent to the byte. */
export interface WebSocketClient {
  readonly http: Http1
  send(data: string | Uint8Array, opcode?: number): Promise<void>
  next(): Promise<Frame>
  close(): void
}

/** Upgrades a connection to a WebSocket; rejects where the answer is not 101 or does not prove that it read the key. */
export const openWebSocket = async (socket: Duplex, host: string, path = '/'): Promise<WebSocketClient> => {
  const http = http1(socket)
  const key = randomBytes(16).toString('base64')
  const answer = await http.request(`GET ${path}`, {
    Host: host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
  })
  if (answer.status !== 101) throw new Error(`no WebSocket: ${answer.status} ${answer.text}`)
  if (answer.header('sec-websocket-accept') !== acceptOf(key)) throw new Error('Sec-WebSocket-Accept is wrong')
  return {
    http,
    send: (data, opcode = 1) => http.send(frame(data, opcode, randomBytes(4))),
    next: () => readFrame(http),
    close: http.close,
  }
}

/** RFC 6455 section 4.2.2. */
export const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** One frame; clients mask, servers do not (RFC 6455 section 5.2). */
export const frame = (data: string | Uint8Array, opcode = 1, mask?: Uint8Array): Buffer => {
  const payload = Buffer.from(data)
  const masked = mask === undefined ? 0 : 0x80
  const length = payload.length
  const size = length < 126 ? Buffer.from([masked | length]) : Buffer.from([masked | 126, length >> 8, length & 0xff])
  if (length > 0xffff) throw new RangeError('frames of the kit are at most 65,535 bytes')
  const body = mask === undefined ? payload : payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, mask ?? Buffer.alloc(0), body])
}

/** The next frame, unmasked. */
export const readFrame = async (reader: { take(count: number): Promise<Buffer> }): Promise<Frame> => {
  const [first = 0, second = 0] = await reader.take(2)
  const short = second & 0x7f
  if (short === 127) throw new RangeError('frames of the kit are at most 65,535 bytes')
  const length = short === 126 ? (await reader.take(2)).readUInt16BE() : short
  const mask = second & 0x80 ? await reader.take(4) : Buffer.alloc(4)
  const data = await reader.take(length)
  return { opcode: first & 0xf, data: Buffer.from(data.map((byte, at) => byte ^ (mask[at % 4] ?? 0))) }
}
