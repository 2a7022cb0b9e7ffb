import { ByteBuffer } from '../../../../lib/byte-buffer.ts'
import { patience } from '../../../../lib/patience.ts'
import { ConnectionError, errorCode, flag, frameSize, frameType } from './codes.ts'

/** Where frames go once they are whole and well-formed by themselves. */
export interface FrameSink {
  /** `length`: of the payload, padding too, which counts for flow control. */
  data(stream: number, data: Buffer, length: number, last: boolean): void
  headers(stream: number, block: Buffer, last: boolean): void
  priority(stream: number): void
  cancelled(stream: number): void
  settings(payload: Buffer, acknowledged: boolean): void
  ping(payload: Buffer, acknowledged: boolean): void
  goaway(): void
  window(stream: number, bytes: number): void
  unknown(): void
  /** A header block does not come to its end. */
  late(): void
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** CONTINUATION frames of one block: far more than a block of any size that is taken needs. */
const mostPieces = 16

interface Block {
  readonly stream: number
  readonly last: boolean
  readonly parts: Buffer[]
  bytes: number
  /** Its end has come. */
  readonly come: () => void
}

/** Cuts what a client sends into frames (RFC 9113 sections 3.4, 4 and 6). `push` throws ConnectionError. */
export class Frames {
  readonly #sink: FrameSink
  readonly #mostBlock: number
  readonly #blockTime: number
  /** A frame, or its head, that has not come as a whole; `#needed`: bytes below which it has not. */
  readonly #kept = new ByteBuffer()
  #needed = 0
  #begun: 'no' | 'preface' | 'yes' = 'no'
  #block: Block | undefined
  #stopped = false

  constructor(sink: FrameSink, mostBlock: number, blockTime: number) {
    this.#sink = sink
    this.#mostBlock = mostBlock
    this.#blockTime = blockTime
  }
  stop(): void {
    this.#stopped = true
    this.#block?.come()
  }

  push(chunk: Buffer): void {
    let bytes = chunk
    if (this.#kept.length > 0) {
      this.#kept.append(chunk)
      if (this.#kept.length < this.#needed) return
      bytes = this.#kept.take()
    }
    this.#needed = this.#begun === 'no' ? 0 : 9
    let at = this.#begun === 'no' ? this.#preface(bytes) : 0
    while (this.#begun !== 'no' && bytes.length - at >= 9 && !this.#stopped) {
      const length = bytes.readUIntBE(at, 3)
      const type = bytes[at + 3] ?? 0
      if (length > frameSize) throw new ConnectionError(errorCode.frameSize, 'a frame that is too long')
      if (this.#begun === 'preface' && type !== frameType.settings)
        throw new ConnectionError(errorCode.protocol, 'it does not begin with SETTINGS')
      if (bytes.length - at < 9 + length) {
        this.#needed = 9 + length
        break
      }
      this.#needed = 9
      this.#begun = 'yes'
      this.#frame(type, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5) & 0x7fffffff, bytes.subarray(at + 9, at + 9 + length))
      at += 9 + length
    }
    if (at < bytes.length && !this.#stopped) this.#kept.append(at === 0 ? bytes : bytes.subarray(at))
  }
  #preface(bytes: Buffer): number {
    const seen = Math.min(bytes.length, preface.length)
    if (bytes.compare(preface, 0, seen, 0, seen) !== 0) throw new ConnectionError(errorCode.protocol, 'it does not speak HTTP/2')
    if (seen < preface.length) return 0
    this.#begun = 'preface'
    return seen
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#block && (type !== frameType.continuation || stream !== this.#block.stream))
      throw new ConnectionError(errorCode.protocol, 'a frame within a header block')
    switch (type) {
      case frameType.data:
        ofStream(stream)
        this.#sink.data(stream, unpadded(payload, flags), payload.length, (flags & flag.endStream) !== 0)
        break
      case frameType.headers:
        ofStream(stream)
        this.#headers(stream, flags, unpadded(payload, flags))
        break
      case frameType.continuation:
        this.#continue(flags, payload)
        break
      case frameType.priority:
        sized(payload, 5)
        if (stream === dependency(payload)) throw new ConnectionError(errorCode.protocol, 'a stream that depends on itself')
        this.#sink.priority(stream)
        break
      case frameType.reset:
        sized(payload, 4)
        ofStream(stream)
        this.#sink.cancelled(stream)
        break
      case frameType.settings:
        ofConnection(stream)
        if ((flags & flag.ack) !== 0) sized(payload, 0)
        this.#sink.settings(payload, (flags & flag.ack) !== 0)
        break
      case frameType.push:
        throw new ConnectionError(errorCode.protocol, 'a push by a client')
      case frameType.ping:
        ofConnection(stream)
        sized(payload, 8)
        this.#sink.ping(payload, (flags & flag.ack) !== 0)
        break
      case frameType.goaway:
        ofConnection(stream)
        if (payload.length < 8) throw new ConnectionError(errorCode.frameSize, 'a frame of a wrong length')
        this.#sink.goaway()
        break
      case frameType.window:
        sized(payload, 4)
        this.#sink.window(stream, payload.readUInt32BE(0) & 0x7fffffff)
        break
      default:
        this.#sink.unknown()
    }
  }
  #headers(stream: number, flags: number, payload: Buffer): void {
    const prioritized = (flags & flag.priority) !== 0
    if (prioritized && payload.length < 5)
      throw new ConnectionError(errorCode.frameSize, 'HEADERS without the priority they name')
    if (prioritized && dependency(payload) === stream)
      throw new ConnectionError(errorCode.protocol, 'a stream that depends on itself')
    const part = prioritized ? payload.subarray(5) : payload
    const last = (flags & flag.endStream) !== 0
    if ((flags & flag.endHeaders) !== 0) {
      this.#sink.headers(stream, part, last)
      return
    }
    const come = patience(this.#blockTime, () => this.#sink.late())
    this.#block = { stream, last, parts: [Buffer.from(part)], bytes: part.length, come }
  }
  #continue(flags: number, payload: Buffer): void {
    const block = this.#block
    if (!block) throw new ConnectionError(errorCode.protocol, 'CONTINUATION of nothing')
    block.parts.push(Buffer.from(payload))
    block.bytes += payload.length
    if (block.bytes > this.#mostBlock || block.parts.length > mostPieces)
      throw new ConnectionError(errorCode.calm, 'it floods with CONTINUATION')
    if ((flags & flag.endHeaders) === 0) return
    block.come()
    this.#block = undefined
    this.#sink.headers(block.stream, Buffer.concat(block.parts), block.last)
  }
}

const dependency = (payload: Buffer): number => payload.readUInt32BE(0) & 0x7fffffff

// RFC 9113 sections 6.1 and 6.2.
const unpadded = (payload: Buffer, flags: number): Buffer => {
  if ((flags & flag.padded) === 0) return payload
  const padding = payload[0]
  if (padding === undefined) throw new ConnectionError(errorCode.frameSize, 'a padded frame without a length of it')
  if (padding >= payload.length) throw new ConnectionError(errorCode.protocol, 'more padding than frame')
  return payload.subarray(1, payload.length - padding)
}
const sized = (payload: Buffer, length: number): void => {
  if (payload.length !== length) throw new ConnectionError(errorCode.frameSize, 'a frame of a wrong length')
}
const ofStream = (stream: number): void => {
  if (stream === 0) throw new ConnectionError(errorCode.protocol, 'a frame of a stream that names none')
}
const ofConnection = (stream: number): void => {
  if (stream !== 0) throw new ConnectionError(errorCode.protocol, 'a frame of the connection that names a stream')
}
