import { patience } from '../../../../lib/patience.ts'
import { discard, type Exchange, type Watcher } from '../exchange.ts'
import type { Client, Fields } from '../fields.ts'
import { Body } from './body.ts'
import { type ErrorCode, errorCode, flag, frameHead, frameSize, frameType, mostWindow } from './codes.ts'
import type { Head } from './head.ts'
import type { Inflow } from './inflow.ts'
import type { Sender } from './outbox.ts'
import { Pieces } from './pieces.ts'

/** What a stream needs of its connection. */
export interface Connection {
  readonly client: Client
  /** ms that an answer which nobody else times may take; 0: no limit. */
  readonly patience: number
  /** A header block of these fields, in frames, behind all that was framed before. */
  head(stream: number, status: number, fields: Readonly<Fields>, end: boolean, into?: Buffer[]): void
  /** The stream has something to send. */
  ready(sender: Sender): void
  reset(stream: Stream, code: ErrorCode): void
  /** Bytes of a body were read. */
  consumed(stream: Stream, bytes: number): void
  /** So many more bytes of bodies are held in memory; negative: fewer. */
  buffered(bytes: number): void
  /** The connection holds as much as it may. */
  readonly full: boolean
  /** Both ends are done with it. */
  closed(stream: Stream): void
}

/** Bytes of an answer that wait here before its backend is held up. */
export const mostQueued = 65_536
const bodyless = new Set([204, 205, 304])

/** One request and its answer on a connection of HTTP/2 (RFC 9113 section 5). */
export class Stream implements Exchange, Sender {
  readonly id: number
  readonly client: Client
  readonly version = '2'
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly fields: Readonly<Fields>
  readonly body: Body | undefined
  readonly length: string | undefined
  readonly upgrade = false
  /** What the peer takes of the answer. */
  window: number
  readonly inflow: Inflow
  /** Bytes that it is counted for in memory, without its bodies. */
  cost = 0
  #connection: Connection
  #watcher: Watcher | undefined
  #expected: number | undefined
  #received = 0
  #requestTrailers: Fields = []
  #trailers: Fields = []
  readonly #queue = new Pieces()
  /** Framed, and not yet taken by the socket. */
  #leaving = 0
  #full = false
  #headed = false
  #ended = false
  /** The last frame of this side is on its way. */
  #finished = false
  /** All of the answer is its head, which is on its way. */
  #bare = false
  #over = false
  #taken: (() => void) | undefined

  constructor(connection: Connection, id: number, head: Head, ended: boolean, window: number, inflow: Inflow) {
    this.#connection = connection
    this.id = id
    this.client = connection.client
    this.method = head.method
    this.target = head.target
    this.authority = head.authority
    this.fields = head.fields
    this.length = head.length
    this.#expected = head.length === undefined ? undefined : Number(head.length)
    this.window = window
    this.inflow = inflow
    this.body = ended ? undefined : new Body((bytes) => this.#consumed(bytes))
  }
  /** More may come of the peer. */
  get open(): boolean {
    return this.body !== undefined && !this.#inputOver
  }
  #inputOver = false
  get over(): boolean {
    return this.#over
  }

  // What the peer sends. False: it is not the length that was declared (RFC 9113 section 8.1.1).
  data(chunk: Buffer, last: boolean): boolean {
    this.#received += chunk.length
    if (this.#expected !== undefined && (last ? this.#received !== this.#expected : this.#received > this.#expected)) return false
    if (chunk.length > 0 && this.body) {
      this.#connection.buffered(chunk.length)
      this.body.receive(chunk)
    }
    if (last) this.#endInput()
    return true
  }
  endWith(trailers: Fields): boolean {
    if (this.#expected !== undefined && this.#received !== this.#expected) return false
    this.#requestTrailers = trailers
    this.#endInput()
    return true
  }
  #endInput(): void {
    this.#inputOver = true
    this.body?.end()
    this.#settle()
  }
  #consumed(bytes: number): void {
    if (bytes > 0) this.#connection.buffered(-bytes)
    this.#connection.consumed(this, bytes)
  }
  /** False: over what a window may hold. */
  widen(bytes: number): boolean {
    this.window += bytes
    if (this.window > mostWindow) return false
    this.wake()
    return true
  }
  wake(): void {
    if (this.#queue.length > 0) this.#connection.ready(this)
  }
  /** It is reset, or its connection is gone. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#inputOver = true
    this.#taken?.()
    this.body?.abandon()
    this.#watcher?.gone()
    // Only now: who is told asks how much of it did not leave.
    if (this.#queue.length > 0) this.#connection.buffered(-this.#queue.length)
    this.#queue.clear()
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
  }
  trailers(): Fields {
    return this.#requestTrailers
  }
  inform(status: number, fields: Fields): void {
    if (!this.#headed && !this.#over) this.#connection.head(this.id, status, fields, false)
  }
  respond(status: number, _reason: string, fields: Fields, how: { bodyless: boolean }): void {
    if (this.#headed || this.#over) return
    this.#headed = true
    const end = how.bodyless || this.method === 'HEAD' || bodyless.has(status)
    this.#connection.head(this.id, status, fields, end)
    if (!end) return
    this.#ended = true
    this.#finished = true
    this.#bare = true
    this.#connection.ready(this)
  }
  flush(): void {}
  write(chunk: Buffer): boolean {
    if (this.#ended || this.#over || chunk.length === 0) return true
    this.#queue.add(chunk)
    this.#connection.buffered(chunk.length)
    this.#connection.ready(this)
    // Said once, it holds until it is taken back.
    if (this.#connection.full || this.unsent() >= mostQueued) this.#full = true
    return !this.#full
  }
  end(chunk: Buffer | undefined, trailers: Fields): void {
    if (chunk) this.write(chunk)
    if (!this.#ended && !this.#over) {
      this.#ended = true
      this.#trailers = trailers
      this.#connection.ready(this)
    }
    if (this.body) discard(this.body, () => this.cut())
    if (!this.#watcher && this.#connection.patience > 0) this.#taken ??= patience(this.#connection.patience, () => this.cut())
  }
  take(): never {
    throw new Error('HTTP/2 has no upgrade')
  }
  cut(): void {
    if (!this.#over) this.#connection.reset(this, this.#finished ? errorCode.none : errorCode.internal)
  }
  // Its connection counts them.
  held(): number {
    return 0
  }
  unsent(): number {
    return this.#queue.length + this.#leaving
  }

  // What goes out, when the connection has room for it.
  give(out: Buffer[], most: number): number | undefined {
    if (this.#bare) {
      this.#bare = false
      return 0
    }
    if (!this.pending) return undefined
    let bytes = 0
    const room = Math.min(most, this.window, frameSize)
    const head = room > 0 && this.#queue.length > 0 ? frameHead(0, frameType.data, 0, this.id) : undefined
    if (head) {
      out.push(head)
      for (let piece = this.#queue.take(room); piece; piece = bytes < room ? this.#queue.take(room - bytes) : undefined) {
        out.push(piece)
        bytes += piece.length
      }
      head.writeUIntBE(bytes, 0, 3)
      this.window -= bytes
      this.#leaving += bytes
    }
    if (this.#ended && this.#queue.length === 0) this.#finish(out, head)
    else if (!head) return undefined
    return bytes
  }
  get pending(): boolean {
    if (this.#over) return false
    return this.#bare || (this.#queue.length > 0 ? this.window > 0 : this.#ended && !this.#finished)
  }
  #finish(out: Buffer[], head: Buffer | undefined): void {
    this.#finished = true
    if (this.#trailers.length > 0) this.#connection.head(this.id, 0, this.#trailers, true, out)
    else if (head) head[4] = flag.endStream
    else out.push(frameHead(0, frameType.data, flag.endStream, this.id))
  }
  left(bytes: number): void {
    this.#leaving -= bytes
    if (bytes > 0) this.#connection.buffered(-bytes)
    this.goOn()
    this.#settle()
  }
  /** The connection is full: its backend is to wait. */
  hold(): void {
    if (this.#over) return
    this.#full = true
    this.#watcher?.clientFull?.()
  }
  /** Lets a backend that waits go on, where enough has left: for the connection's sake, all that its own stream had. True: it does. */
  goOn(): boolean {
    if (this.#over || !this.#full || this.unsent() >= (this.#connection.full ? 1 : mostQueued / 2)) return false
    this.#full = false
    this.#watcher?.clientDrained()
    return true
  }
  /** Over, once both sides have ended and all has left. */
  #settle(): void {
    if (this.#over || !this.#finished || this.open || this.unsent() > 0) return
    this.#over = true
    this.#taken?.()
    this.#connection.closed(this)
    this.#watcher?.gone()
  }
}
