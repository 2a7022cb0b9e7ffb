import type { Duplex } from 'node:stream'
import { frameHead, frameSize, frameType } from '../../../../plugins/engine/embedded/h2/codes.ts'
import { Decoder } from '../../../../plugins/engine/embedded/h2/decoder.ts'
import { headerBlock } from '../../../kit/clients/h2-frames.ts'

/** What came of one request. */
export interface Got {
  status: string
  body: Buffer[]
  trailers: string[]
  ends: number
  resets: number[]
  /** What the server may still send, and what it takes. */
  window: number
  room: number
}

/** A client of HTTP/2 that does what it is told, when it is told, and complains where the server breaks a rule. */
export class Peer {
  readonly got = new Map<number, Got>()
  readonly goaways: number[] = []
  readonly complaints: string[] = []
  room = 65_535
  window = 65_535
  pongs = 0
  ended = false
  #initial = 65_535
  #theirs = 65_535
  /** Changes of the window that the server has not yet acknowledged, with the streams that were there. */
  readonly #asked: { more: number; of: readonly Got[] }[] = []
  #next = 1
  #kept: Buffer = Buffer.alloc(0)
  readonly #decoder = new Decoder()
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    this.#socket = socket
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    this.settings([])
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => {
      this.ended = true
    })
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    if (!this.#socket.writableEnded) this.#socket.write(Buffer.concat([frameHead(payload.length, type, flags, stream), payload]))
  }
  request(path: string, more: boolean): number {
    const id = this.#next
    this.#next += 2
    const fields = { ':method': more ? 'POST' : 'GET', ':scheme': 'https', ':authority': 'a.test', ':path': path }
    this.got.set(id, {
      status: '',
      body: [],
      trailers: [],
      ends: 0,
      resets: [],
      window: this.#initial,
      room: this.#theirs,
    })
    this.send(frameType.headers, more ? 4 : 5, id, headerBlock(Object.entries(fields)))
    return id
  }
  /** As much of it as may go now; says how much that was. */
  data(id: number, bytes: Buffer, padding: number, last: boolean): number {
    const got = this.#of(id)
    const extra = padding > 0 ? padding + 1 : 0
    const most = Math.min(bytes.length, this.room - extra, got.room - extra, frameSize - extra)
    if (most <= 0 && bytes.length > 0) return 0
    const piece = bytes.subarray(0, Math.max(0, most))
    const padded = extra > 0 ? Buffer.concat([Buffer.of(padding), piece, Buffer.alloc(padding)]) : piece
    this.room -= padded.length
    got.room -= padded.length
    this.send(frameType.data, (extra > 0 ? 8 : 0) | (last && piece.length === bytes.length ? 1 : 0), id, padded)
    return piece.length
  }
  trailers(id: number): void {
    this.send(frameType.headers, 5, id, headerBlock([['x-sum', String(id)]]))
  }
  reset(id: number): void {
    this.send(frameType.reset, 0, id, number(8))
  }
  widen(id: number, bytes: number): void {
    if (id === 0) this.window += bytes
    else this.#of(id).window += bytes
    this.send(frameType.window, 0, id, number(bytes))
  }
  settings(pairs: readonly (readonly [id: number, value: number])[]): void {
    const value = pairs.find(([id]) => id === 4)?.[1] ?? this.#initial
    this.#asked.push({ more: value - this.#initial, of: [...this.got.values()] })
    this.#initial = value
    const payload = Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.of(0, id), number(value)])))
    this.send(frameType.settings, 0, 0, payload)
  }

  #of(id: number): Got {
    const got = this.got.get(id)
    if (!got) throw new Error(`a frame of stream ${id}, which nobody began`)
    return got
  }
  #read(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk])
    while (this.#kept.length >= 9) {
      const length = this.#kept.readUIntBE(0, 3)
      if (this.#kept.length < 9 + length) return
      const [type = 0, flags = 0] = this.#kept.subarray(3, 5)
      const [id, payload] = [this.#kept.readUInt32BE(5), this.#kept.subarray(9, 9 + length)]
      this.#kept = this.#kept.subarray(9 + length)
      try {
        this.#frame(type, flags, id, payload)
      } catch (error) {
        this.complaints.push(String(error))
      }
    }
  }
  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === frameType.ping && (flags & 1) !== 0) this.pongs++
    else if (type === frameType.settings && (flags & 1) === 0) this.#settings(payload)
    else if (type === frameType.settings) {
      const { more = 0, of = [] } = this.#asked.shift() ?? {}
      for (const got of of) got.window += more
    } else if (type === frameType.goaway) this.goaways.push(payload.readUInt32BE(4))
    else if (type === frameType.window && id === 0) this.room += payload.readUInt32BE(0)
    else if (type === frameType.window) this.#of(id).room += payload.readUInt32BE(0)
    else if (type === frameType.reset) this.#of(id).resets.push(payload.readUInt32BE(0))
    else if (type === frameType.data || type === frameType.headers) this.#answer(type, flags, this.#of(id), payload)
  }
  #answer(type: number, flags: number, got: Got, payload: Buffer): void {
    if (got.ends > 0) this.complaints.push('more of an answer behind its end')
    if (got.resets.length > 0) this.complaints.push('more of an answer behind its reset')
    if (type === frameType.data) {
      this.window -= payload.length
      got.window -= payload.length
      if (payload.length > 0 && (this.window < 0 || got.window < 0)) this.complaints.push('more than the window takes')
      got.body.push(payload)
    } else {
      const fields = this.#decoder.decode(payload, 100_000) ?? []
      if (got.status === '' && fields[0] === ':status') got.status = fields[1]?.startsWith('1') ? '' : (fields[1] ?? '')
      else got.trailers = fields
    }
    if ((flags & 1) !== 0) got.ends++
  }
  #settings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) === 4) this.#theirs = payload.readUInt32BE(at + 2)
    }
    for (const got of this.got.values()) got.room += this.#theirs - 65_535
    this.send(frameType.settings, 1, 0)
  }
}

const number = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
