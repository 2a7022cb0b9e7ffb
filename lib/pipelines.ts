import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

type Serve = (req: IncomingMessage, res: ServerResponse) => void

/** Requests that wait before nothing more is read of their connection. Until then a client that goes away is noticed at once. */
const maxRead = 16
/** Bytes of memory that one takes. */
const requestCost = 2_048
/** Requests that may wait on one connection. One read of 64 KiB brings fewer. */
const maxWaiting = 4_096

/** The requests of one HTTP/1.1 connection. */
class Connection {
  readonly #socket: Duplex
  #waiting: (readonly [Serve, IncomingMessage, ServerResponse])[] = []
  #at = 0
  #active = false
  #paused = false
  #held = 0
  readonly #next = (): void => this.#serveNext()

  readonly #hold: (bytes: number) => void

  constructor(socket: Duplex, hold: (bytes: number) => void) {
    this.#socket = socket
    this.#hold = hold
  }
  add(serve: Serve, req: IncomingMessage, res: ServerResponse): void {
    if (!this.#active) this.#serve(serve, req, res)
    else if (this.#waiting.length >= maxWaiting) this.#socket.destroy()
    else {
      this.#waiting.push([serve, req, res])
      this.#held += requestCost
      this.#hold(requestCost)
      if (this.#waiting.length - this.#at >= maxRead) this.#pause()
    }
  }
  clear(): void {
    this.#waiting = []
    this.#at = 0
    if (this.#held > 0) this.#hold(-this.#held)
    this.#held = 0
    this.#resume()
  }

  #serve(serve: Serve, req: IncomingMessage, res: ServerResponse): void {
    this.#active = true
    res.on('close', this.#next)
    serve(req, res)
  }
  #serveNext(): void {
    this.#active = false
    const next = this.#waiting[this.#at++]
    if (next && !this.#socket.destroyed) this.#serve(...next)
    if (!next || this.#socket.destroyed || this.#at >= this.#waiting.length) this.clear()
  }
  // Node resumes a connection at the end of each message. Here it cannot, until nothing waits.
  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
    this.#socket.resume = () => this.#socket
  }
  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    Reflect.deleteProperty(this.#socket, 'resume')
    // Node has stopped its parser too where answers wait for the client, and goes on by itself.
    if (!('_paused' in this.#socket && this.#socket._paused)) this.#socket.resume()
  }
}

/**
 * Serves the requests of each HTTP/1.1 connection one at a time, in their order (RFC 9112 section 9.3.2): the next one once the answer before
 * it has left. While many wait, nothing more is read of their connection.
 */
export class Pipelines {
  readonly #connections = new WeakMap<Duplex, Connection>()
  readonly #hold: (socket: Duplex, bytes: number) => void

  /** `hold` is told of the bytes of memory that the requests which wait on a connection take, and, negative, take no more. */
  constructor(hold: (socket: Duplex, bytes: number) => void) {
    this.#hold = hold
  }

  /** Calls `serve` now, or when the requests before it are done; never where the connection closes or is refused first. */
  add(serve: Serve, req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    let connection = this.#connections.get(socket)
    if (!connection) {
      connection = new Connection(socket, (bytes) => this.#hold(socket, bytes))
      this.#connections.set(socket, connection)
    }
    connection.add(serve, req, res)
  }
  /** The requests that wait on a connection are dropped. */
  clear(socket: Duplex): void {
    this.#connections.get(socket)?.clear()
  }
}
