import type { Duplex } from 'node:stream'
import { clientAddress } from '../../../../lib/client-address.ts'
import type { Client, Fields } from '../fields.ts'
import { answerWith } from '../pages.ts'
import { beginInTurn, costOf, mostOfAll, mostOfOne } from './beginnings.ts'
import { ConnectionError, type ErrorCode, errorCode, mostWindow } from './codes.ts'
import { Decoder } from './decoder.ts'
import { Encoder } from './encoder.ts'
import { Ending } from './ending.ts'
import { type FrameSink, Frames } from './frames.ts'
import { areTrailers, type Head, headBytes, readHead } from './head.ts'
import { HoldUp } from './hold-up.ts'
import { Inflow, windows } from './inflow.ts'
import { Outbox, type Sender } from './outbox.ts'
import { type Rates, rates } from './rates.ts'
import { readSettings, settingsFrame } from './settings.ts'
import { type Connection, Stream } from './stream.ts'
import { Streams } from './streams.ts'
import { headerFrames, pong, resetFrame, settingsAcknowledged, windowFrame } from './write.ts'

/** Times in ms. */
export interface Http2Limits {
  readonly headerBytes: number
  readonly headerTime: number
  readonly idleTime: number
  readonly streams: number
  /** PING and SETTINGS frames of one connection in a second. */
  readonly controlFrames: number
}
export interface Given {
  readonly socket: Duplex
  readonly client: Client
  readonly limits: Http2Limits
  serve(stream: Stream): void
  /** It was ended for what the client sent. */
  ended(reason: string, code: ErrorCode): void
}

/** Frames that wait because the peer reads nothing: bytes, and those that carry no answer. */
const mostWaiting = 8_388_608
const maxControls = 1_000
/** Bytes that a stream is counted for, beside its head and its bodies. */
const streamCost = 4_096

/** Fields that one connection may send at a time. Usual requests have some twenty. */
const mostDecoded = 4_096

/** One connection of HTTP/2, the server's side of it (RFC 9113). */
export class Session implements Connection, FrameSink {
  readonly client: Client
  readonly patience: number
  readonly #given: Given
  readonly #out: Outbox
  readonly #frames: Frames
  readonly #decoder = new Decoder()
  readonly #encoder = new Encoder()
  readonly #rates: Rates
  readonly #streams = new Streams()
  readonly #holdUp = new HoldUp(this.#streams)
  /** Begun by the bytes that are being read, or while the connection was full, and not yet served. */
  readonly #fresh: Stream[] = []
  #reading = false
  /** Fields since it was last its turn to be read. */
  #decoded = 0
  /** For its turn to begin requests. */
  #waits = false
  readonly #address: string
  #peerWindow = 65_535
  readonly #inflow = new Inflow(0, windows.connection, (frame) => this.#out.control(frame))
  readonly #ending: Ending

  constructor(given: Given) {
    const { socket, limits } = given
    this.#given = given
    this.client = given.client
    this.#address = clientAddress(given.client.address)
    this.patience = limits.idleTime
    this.#rates = rates(limits.controlFrames)
    this.#out = new Outbox(socket, this.#rates.sent, (bytes) => this.buffered(bytes))
    this.#frames = new Frames(this, limits.headerBytes, limits.headerTime)
    const { idleTime } = limits
    this.#ending = new Ending({ socket, out: this.#out, streams: this.#streams, idleTime, stop: () => this.#stop() })
    this.#out.frame(settingsFrame({ ...limits, streamWindow: windows.stream }))
    this.#out.frame(windowFrame(0, windows.connection - 65_535))
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#halfClosed())
    socket.on('close', () => this.#ending.close())
  }

  /** Says that no more streams are taken: at first only soon, so that those on their way are served; called again, from now on (RFC 9113 section 6.8). */
  goAway(): void {
    this.#ending.goAway()
  }

  // Of the peer's frames.
  data(id: number, data: Buffer, length: number, last: boolean): void {
    if (!this.#inflow.take(length)) throw new ConnectionError(errorCode.flowControl, 'more DATA than the connection takes')
    if (data.length === 0 && !last) this.#spend(this.#rates.idle(), 'empty DATA')
    const stream = this.#streams.live(id, false)
    const fits = stream?.inflow.take(length)
    // Padding, and what nobody is going to read, makes room at once.
    const unread = stream ? length - data.length : length
    if (unread > 0) this.consumed(stream, unread)
    if (!stream || (fits && stream.data(data, last))) return
    this.consumed(stream, data.length)
    this.#refuse(stream, fits ? errorCode.protocol : errorCode.flowControl)
  }
  headers(id: number, block: Buffer, last: boolean): void {
    const raw = this.#decoder.decode(block, this.#given.limits.headerBytes)
    this.#decoded += raw ? raw.length / 2 : mostDecoded
    if (id % 2 === 0) throw new ConnectionError(errorCode.protocol, 'a stream with an even number')
    if (id > this.#streams.highest) this.#request(id, raw, last)
    else this.#trailers(this.#streams.live(id, true), raw, last)
  }
  priority(id: number): void {
    this.#spend(this.#rates.idle(), 'PRIORITY')
    if (id === 0) throw new ConnectionError(errorCode.protocol, 'PRIORITY of the connection')
  }
  cancelled(id: number): void {
    if (id > this.#streams.highest) throw new ConnectionError(errorCode.protocol, 'RST_STREAM of a stream that never began')
    this.#spend(this.#mayFail(), 'resets')
    const stream = this.#streams.get(id)
    if (!stream) return
    this.#forget(stream, false)
    stream.abort()
    this.#ending.streamEnded()
  }
  settings(payload: Buffer, acknowledged: boolean): void {
    this.#spend(this.#rates.control(), 'SETTINGS')
    if (acknowledged) return
    const { tables, window } = readSettings(payload)
    for (const table of tables) this.#encoder.limit(table)
    if (window !== undefined) {
      const more = window - this.#peerWindow
      this.#peerWindow = window
      for (const stream of this.#streams.all())
        if (!stream.widen(more))
          throw new ConnectionError(errorCode.flowControl, 'SETTINGS_INITIAL_WINDOW_SIZE opens a window too far')
    }
    this.#out.control(settingsAcknowledged())
  }
  ping(payload: Buffer, acknowledged: boolean): void {
    this.#spend(this.#rates.control(), 'PING')
    if (!acknowledged) this.#out.control(pong(payload))
  }
  goaway(): void {
    this.#spend(this.#rates.idle(), 'GOAWAY')
    this.#ending.clientLeaves()
  }
  window(id: number, bytes: number): void {
    this.#spend(this.#rates.idle(), 'WINDOW_UPDATE')
    if (id === 0) {
      this.#out.window += bytes
      if (bytes === 0) throw new ConnectionError(errorCode.protocol, 'WINDOW_UPDATE by nothing')
      if (this.#out.window > mostWindow)
        throw new ConnectionError(errorCode.flowControl, 'the window of the connection is opened too far')
      for (const stream of this.#streams.all()) stream.wake()
      return
    }
    if (id > this.#streams.highest) throw new ConnectionError(errorCode.protocol, 'WINDOW_UPDATE of a stream that never began')
    const stream = this.#streams.get(id)
    if (!stream) return
    if (bytes === 0) this.#refuse(stream, errorCode.protocol)
    else if (!stream.widen(bytes)) this.#refuse(stream, errorCode.flowControl)
  }
  unknown(): void {
    this.#spend(this.#rates.idle(), 'unknown frames')
  }
  late(): void {
    this.#fail(errorCode.calm, 'a request head took too long')
  }

  // Of the streams.
  head(id: number, status: number, fields: Readonly<Fields>, end: boolean, into?: Buffer[]): void {
    for (const frame of headerFrames(id, this.#encoder.encode(status, fields), end)) {
      if (into) into.push(frame)
      else this.#out.frame(frame)
    }
  }
  ready(sender: Sender): void {
    this.#out.body(sender)
  }
  consumed(stream: Stream | undefined, bytes: number): void {
    this.#inflow.give(bytes)
    if (stream?.open) stream.inflow.give(bytes)
  }
  buffered(bytes: number): void {
    this.client.buffers.add(bytes)
    this.#holdUp.changed(bytes, this.full)
    if (bytes < 0 && this.#fresh.length > 0 && !this.#reading) this.#serve()
  }
  get full(): boolean {
    return this.client.buffers.full
  }
  reset(stream: Stream, code: ErrorCode): void {
    this.#forget(stream, stream.open)
    this.#reset(stream.id, code)
    stream.abort()
    this.#ending.streamEnded()
  }
  closed(stream: Stream): void {
    this.#forget(stream, false)
    this.#ending.streamEnded()
  }

  #read(chunk: Buffer): void {
    if (this.#ending.closed) return
    this.#reading = true
    try {
      this.#frames.push(chunk)
    } catch (error) {
      // Whatever the reason is, it ends this connection and no other.
      if (error instanceof ConnectionError) this.#fail(error.code, error.message)
      else this.#fail(errorCode.internal, String(error))
    }
    this.#reading = false
    if (this.#fresh.length > 0) this.#serve()
    if (this.#decoded > mostDecoded) this.#readLater()
  }
  // A few bytes name many fields: whoever sends many such heads is read by turns with all others.
  #readLater(): void {
    this.#decoded = 0
    this.#given.socket.pause()
    beginInTurn(this.#address, () => {
      this.#given.socket.resume()
      return mostOfAll
    })
  }
  // Streams that the same bytes took back again never reach a backend. While the connection is full, one at a time does. After a few
  // everybody else has a turn.
  #serve(): void {
    if (this.#waits) return
    this.#waits = true
    beginInTurn(this.#address, this.#serveSome)
  }
  readonly #serveSome = (): number => {
    this.#waits = false
    let spent = 0
    while (this.#fresh.length > 0 && !this.#ending.closed) {
      if (this.full && this.#streams.size > this.#fresh.length) break
      if (spent >= mostOfOne) {
        this.#serve()
        break
      }
      const stream = this.#fresh.shift()
      if (!stream || stream.over) continue
      spent += costOf(stream.fields.length / 2)
      this.#given.serve(stream)
    }
    return spent
  }
  #request(id: number, raw: Fields | undefined, ended: boolean): void {
    this.#streams.highest = id
    const head = raw ? readHead(raw) : { status: 431, reason: 'the head is too long' }
    if (this.#ending.leaving || this.#streams.size >= this.#given.limits.streams) this.#refused(id, errorCode.refused)
    else if (head === 'malformed') this.#refused(id, errorCode.protocol)
    else if ('status' in head) answerWith(this.#open(id, { ...nothing, method: 'GET' }, ended, 0), head.status)
    else if (ended && head.length !== undefined && head.length !== '0') this.#refused(id, errorCode.protocol)
    else this.#fresh.push(this.#open(id, head, ended, headBytes(raw ?? [])))
  }
  #open(id: number, head: Head, ended: boolean, bytes: number): Stream {
    const inflow = new Inflow(id, windows.stream, (frame) => this.#out.control(frame))
    const stream = new Stream(this, id, head, ended, this.#peerWindow, inflow)
    this.#streams.add(stream)
    stream.cost = streamCost + bytes
    this.buffered(stream.cost)
    return stream
  }
  #trailers(stream: Stream | undefined, raw: Fields | undefined, last: boolean): void {
    if (stream && (!last || !raw || !areTrailers(raw) || !stream.endWith(raw))) this.#refuse(stream, errorCode.protocol)
  }
  #forget(stream: Stream, crossing: boolean): void {
    this.#streams.end(stream.id, crossing)
    this.#out.drop(stream)
    this.#uncount(stream)
  }
  #uncount(stream: Stream): void {
    this.buffered(-stream.cost)
    stream.cost = 0
  }
  /** For what the peer did wrong on it. */
  #refuse(stream: Stream, code: ErrorCode): void {
    this.reset(stream, code)
    this.#spend(this.#mayFail(), 'streams that are wrong')
  }
  #refused(id: number, code: ErrorCode): void {
    this.#reset(id, code)
    this.#spend(this.#mayFail(), 'streams that are wrong')
  }
  #reset(id: number, code: ErrorCode): void {
    this.#streams.end(id, true)
    this.#out.control(resetFrame(id, code))
  }
  /** A stream came to nothing; false: too many did, of this connection or of the client's address. */
  #mayFail(): boolean {
    return this.#rates.reset() && this.client.usage?.fail() !== false
  }
  #spend(within: boolean, what: string): void {
    if (!within) throw new ConnectionError(errorCode.calm, `it floods with ${what}`)
    if (this.#out.waiting > mostWaiting || this.#out.controls > maxControls)
      throw new ConnectionError(errorCode.calm, 'it reads no answers')
  }

  #fail(code: ErrorCode, reason: string): void {
    if (this.#ending.closed) return
    this.#given.ended(reason, code)
    this.#ending.fail(code)
  }
  #halfClosed(): void {
    for (const stream of [...this.#streams.all()]) if (stream.open) this.reset(stream, errorCode.cancel)
    this.#ending.clientLeaves()
  }
  #stop(): void {
    this.#frames.stop()
    for (const stream of this.#streams.clear()) {
      this.#out.drop(stream)
      stream.abort()
      this.#uncount(stream)
    }
  }
}

const nothing = { authority: '', target: '/', fields: [], length: undefined }
