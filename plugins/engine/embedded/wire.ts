import type { Socket } from 'node:net'
import type { Place } from '../../../lib/row.ts'
import { heldBy } from './buffer-budget.ts'
import type { Fields } from './fields.ts'
import { type Framing, ResponseReader, type ResponseSink } from './response-reader.ts'

/** Where a request goes: one connection, or one stream of it, to a backend. */
export interface Upstream {
  /** False: wait for `drained`. */
  write(chunk: Buffer): boolean
  /** The request is complete. */
  end(trailers: Fields): void
  /** Bytes that wait in memory, of the request and the answer. */
  readonly held: number
  pause(): void
  resume(): void
  abort(): void
}

/** Who asked. After `end`, `upgraded` or `failed` nothing more comes. */
export interface Asker extends ResponseSink {
  drained(): void
  /** Some bytes of the answer were dealt with. */
  settled(): void
  failed(error: Error): void
  upgraded(fields: Fields, rest: Buffer, socket?: Socket): void
}

/** What a wire goes back to when its answer is complete. */
export interface Home {
  release(wire: Wire): void
  forget(wire: Wire): void
}

/** One HTTP/1.1 connection to a backend: one request at a time. */
export class Wire implements Upstream, ResponseSink {
  readonly socket: Socket
  /** When it was last put back, on the monotonic clock in ms; 0: never used. */
  idleSince = 0
  /** Among the idle ones of all backends. */
  readonly place: Place<Wire> = {}
  /** Where it goes once it is idle. */
  home: Home
  #reader = new ResponseReader(this)
  #asker: Asker | undefined
  #sent = false
  #chunked = false
  #reusable = false

  constructor(socket: Socket, home: Home) {
    this.socket = socket
    this.home = home
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#asker?.drained())
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#fail(new Error('it closed the connection')))
  }

  /** `complete`: the head is all there is. */
  send(asker: Asker, head: string, how: { method: string; upgrade: boolean; complete: boolean; chunked: boolean }): void {
    this.#asker = asker
    this.#sent = how.complete
    this.#chunked = how.chunked
    this.#reusable = false
    this.#reader.expect(how.method === 'HEAD', how.upgrade)
    this.socket.write(head, 'latin1')
  }

  write(chunk: Buffer): boolean {
    if (!this.#chunked) return this.socket.write(chunk)
    if (chunk.length === 0) return true
    this.socket.cork()
    this.socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    this.socket.write(chunk)
    const more = this.socket.write('\r\n', 'latin1')
    this.socket.uncork()
    return more
  }
  end(trailers: Fields): void {
    this.#sent = true
    if (!this.#chunked) return
    let last = '0\r\n'
    for (let i = 0; i < trailers.length; i += 2) last += `${trailers[i]}: ${trailers[i + 1]}\r\n`
    this.socket.write(`${last}\r\n`, 'latin1')
  }
  get held(): number {
    return heldBy(this.socket)
  }
  pause(): void {
    this.socket.pause()
  }
  resume(): void {
    this.socket.resume()
  }
  /** An idle one that is wanted no more. */
  drop(): void {
    this.home.forget(this)
    this.socket.destroy()
  }
  /** The asker no longer wants the answer. */
  abort(): void {
    this.#asker = undefined
    this.socket.destroy()
  }

  info(status: number, fields: Fields): void {
    this.#asker?.info(status, fields)
  }
  head(status: number, reason: string, fields: Fields, framing: Framing, reusable: boolean): void {
    this.#reusable = reusable
    this.#asker?.head(status, reason, fields, framing, reusable)
  }
  data(chunk: Buffer, last: boolean): void {
    this.#asker?.data(chunk, last)
  }
  upgraded(fields: Fields, rest: Buffer): void {
    const asker = this.#asker
    this.#asker = undefined
    this.home.forget(this)
    this.socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('drain').removeAllListeners('close')
    asker?.upgraded(fields, rest, this.socket)
  }
  // An answer that came before the whole request had gone out leaves the connection in no state to be used again.
  done(trailers: Fields): void {
    const asker = this.#asker
    this.#asker = undefined
    if (this.#sent && this.#reusable) {
      // Its last bytes may have held it up.
      this.socket.resume()
      this.home.release(this)
    } else this.socket.destroy()
    try {
      asker?.done(trailers)
    } catch (error) {
      asker?.failed(asError(error))
    }
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
      this.#asker?.settled()
    } catch (error) {
      this.#fail(error)
    }
  }
  #ended(): void {
    try {
      this.#reader.close()
      this.#fail(new Error('it closed the connection'))
    } catch (error) {
      this.#fail(error)
    }
  }
  #fail(error: unknown): void {
    const asker = this.#asker
    this.#asker = undefined
    this.home.forget(this)
    this.socket.destroy()
    asker?.failed(asError(error))
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
