import { type Http1, http1 } from './h1.ts'
import { openTls, type Target, type Tls } from './socket.ts'

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  more: 9,
} as const

export interface H2Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}
/** HTTP/2 frame by frame, to say what no well-behaved client says (RFC 9113 section 4). */
export interface H2Frames {
  send(type: number, flags: number, stream: number, payload?: Uint8Array): Promise<void>
  /** Bytes as they are: frames made elsewhere, many at once. */
  raw(bytes: Uint8Array): Promise<void>
  /** A HEADERS frame with these fields, as they are; `end`: no body follows. */
  headers(stream: number, fields: readonly (readonly [name: string, value: string])[], end: boolean): Promise<void>
  /** The next frame; SETTINGS and PING of the other side are acknowledged on the way. */
  next(): Promise<H2Frame>
  /** How the request ended: the status where it is 200, else what stands against it. */
  outcome(stream: number): Promise<'ok' | 'refused' | 'reset' | 'goaway' | 'closed'>
  readonly closed: Promise<'end' | 'reset'>
  close(): void
}

/** Connects, says the preface and empty SETTINGS, and leaves the rest to the caller. */
export const openFrames = async (target: Target, tls: Tls): Promise<H2Frames> => {
  const wire: Http1 = http1(await openTls(target, { alpn: ['h2'], ...tls }))
  const send: H2Frames['send'] = (type, flags, stream, payload = Buffer.alloc(0)) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    return wire.send(Buffer.concat([head, payload]))
  }
  const next = async (): Promise<H2Frame> => {
    for (;;) {
      const head = await wire.take(9)
      const [type = 0, flags = 0] = head.subarray(3, 5)
      const payload = await wire.take(head.readUIntBE(0, 3))
      const asks = (type === frameType.settings || type === frameType.ping) && (flags & 1) === 0
      if (asks) await send(type, 1, 0, type === frameType.ping ? payload : undefined)
      else return { type, flags, stream: head.readUInt32BE(5), payload }
    }
  }
  await wire.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await send(frameType.settings, 0, 0)
  return {
    send,
    raw: wire.send,
    headers: (stream, fields, end) => send(frameType.headers, end ? 5 : 4, stream, headerBlock(fields)),
    next,
    outcome: async (stream) => {
      try {
        for (;;) {
          const frame = await next()
          if (frame.type === frameType.goaway) return 'goaway'
          if (frame.stream !== stream) continue
          if (frame.type === frameType.reset) return 'reset'
          if (frame.type === frameType.headers) return isOk(frame) ? 'ok' : 'refused'
        }
      } catch {
        return 'closed'
      }
    },
    closed: wire.closed,
    close: wire.close,
  }
}

/** Fields as HPACK literals that are not indexed (RFC 7541 section 6.2.2). */
export const headerBlock = (fields: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]))

/** A string without Huffman coding (RFC 7541 section 5.2). */
const text = (value: string) => {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
  const length = [127]
  let left = bytes.length - 127
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}

/** `:status: 200` is entry 8 of the static table (RFC 7541 appendix A); a change of table size may stand before it. */
const isOk = ({ flags, payload }: H2Frame) => {
  const padded = (flags & 0x08 ? 1 : 0) + (flags & 0x20 ? 5 : 0)
  const first = payload.subarray(padded).find((byte) => (byte & 0xe0) !== 0x20)
  return first === 0x88
}
