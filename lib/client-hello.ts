import { ByteBuffer } from './byte-buffer.ts'

/** What the first bytes of a TLS connection say. `more`: not all of the ClientHello is there yet; `bad`: it is none. */
export type Peek =
  | { readonly state: 'more' }
  | { readonly state: 'bad'; readonly reason: string }
  | { readonly state: 'hello'; readonly serverName: string | undefined; readonly protocols: readonly string[] }

/** The most bytes of records that a ClientHello may take here: far more than any client sends, post-quantum key shares included. */
const maxClientHello = 32_768

const more: Peek = { state: 'more' }
const bad = (reason: string): Peek => ({ state: 'bad', reason })

/**
 * Reads the server name (RFC 6066 section 3) and the protocols asked for (RFC 7301) out of the ClientHello (RFC 8446 section 4.1.2) at the
 * start of a connection, whether the message stands in one TLS record or is split over several. Each byte is looked at once, however small
 * the packets and records are.
 */
export class ClientHelloReader {
  readonly #message = new ByteBuffer()
  /** Bytes of the record's header so far, and the payload bytes that are still to come. */
  #inHeader = 0
  #left = 0
  #total = 0

  /** The next bytes. After another answer than `more`, push nothing. */
  push(chunk: Buffer): Peek {
    let at = 0
    while (at < chunk.length) {
      if (this.#total + at >= maxClientHello) return bad('its ClientHello is too long')
      if (this.#left === 0) {
        const reason = this.#header(chunk[at++] ?? 0)
        if (reason !== undefined) return bad(reason)
        continue
      }
      const part = chunk.subarray(at, at + this.#left)
      this.#message.append(part)
      this.#left -= part.length
      at += part.length
      const found = this.#hello()
      if (found) return found
    }
    this.#total += at
    return more
  }

  // RFC 8446 section 5.1: a type, two bytes of version, two of length; handshake records are never empty.
  #header(byte: number): string | undefined {
    switch (this.#inHeader++) {
      case 0:
        return byte === 22 ? undefined : 'it does not begin with a TLS handshake record'
      case 1:
        return byte === 3 ? undefined : 'its TLS record has an unknown version'
      case 2:
        return undefined
      case 3:
        this.#high = byte
        return undefined
    }
    this.#inHeader = 0
    this.#left = this.#high * 256 + byte
    return this.#left === 0 || this.#left > 16_384 ? 'its TLS record has an impossible length' : undefined
  }
  #high = 0

  #hello(): Peek | undefined {
    const { bytes } = this.#message
    if (bytes[0] !== 1) return bad('its first handshake message is no ClientHello')
    if (bytes.length < 4) return undefined
    const whole = 4 + bytes.readUIntBE(1, 3)
    if (whole > maxClientHello) return bad('its ClientHello is too long')
    return bytes.length < whole ? undefined : readHello(bytes.subarray(4, whole))
  }
}

const readHello = (hello: Buffer): Peek => {
  const reader = new Reader(hello)
  reader.skip(2 + 32) // version, random
  reader.vector(1) // session id
  reader.vector(2) // cipher suites
  reader.vector(1) // compression methods
  if (!reader.broken && reader.left === 0) return { state: 'hello', serverName: undefined, protocols: [] }
  const extensions = new Reader(reader.vector(2))
  if (reader.broken || reader.left > 0) return bad('its ClientHello is cut short')
  let serverName: string | undefined
  let protocols: readonly string[] = []
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const body = extensions.vector(2)
    if (extensions.broken) return bad('an extension of its ClientHello is cut short')
    if (type === 0 && serverName === undefined) {
      serverName = readServerName(body)
      if (serverName === undefined) return bad('its server name is malformed')
    } else if (type === 16) protocols = readProtocols(body)
  }
  return { state: 'hello', serverName, protocols }
}

const readServerName = (body: Buffer): string | undefined => {
  const list = new Reader(new Reader(body).vector(2))
  const kind = list.number(1)
  const name = list.vector(2)
  if (list.broken || list.left > 0 || kind !== 0 || name.length === 0) return undefined
  // RFC 1035 section 2.3.4: no name is longer, and it is written to the log.
  if (name.length > 255) return undefined
  const text = name.toString('latin1')
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined
}

/** Those of ALPN (RFC 7301 section 3.1). A malformed list is left to the TLS that reads it next. */
const readProtocols = (body: Buffer): readonly string[] => {
  const list = new Reader(new Reader(body).vector(2))
  const all: string[] = []
  while (list.left > 0 && !list.broken) all.push(list.vector(1).toString('latin1'))
  return all
}

/** Reads on and on; past the end everything is empty and `broken` is set. */
class Reader {
  broken = false
  #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
  skip(count: number): void {
    this.#take(count)
  }
  number(size: number): number {
    const bytes = this.#take(size)
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0
  }
  vector(size: number): Buffer {
    return this.#take(this.number(size))
  }
  #take(count: number): Buffer {
    if (count > this.left) this.broken = true
    const taken = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += taken.length
    return taken
  }
}
