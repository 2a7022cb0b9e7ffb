import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { discardInput } from './lingering-close.ts'

/**
 * Knows which connections of an HTTP/1.1 server have had their last request. What follows a request that was refused could be the rest of it
 * as another server reads it (request smuggling), and what follows one with `Connection: close` is no request (RFC 9112 section 9.6).
 */
export class LastRequest {
  readonly #last = new WeakSet<Duplex>()
  readonly #refused = new WeakSet<Duplex>()

  /** False: it follows the last request of its connection. Nobody may carry it out or answer it. */
  admits(req: IncomingMessage, res: ServerResponse): boolean {
    const { socket } = req
    if (this.#last.has(socket)) return false
    if (!res.shouldKeepAlive) this.#last.add(socket)
    return true
  }
  /** The last answer of the connection is under way: its input is discarded unparsed from now on. */
  refuse(socket: Duplex): void {
    this.#last.add(socket)
    this.#refused.add(socket)
    discardInput(socket)
  }
  /** No request is admitted after the one that is being answered. */
  close(socket: Duplex): void {
    this.#last.add(socket)
  }
  has(socket: Duplex): boolean {
    return this.#last.has(socket)
  }
  /** Whether Node's complaint about a connection is about input after its last request, which matters to nobody. */
  covers(socket: Duplex, code: string | undefined): boolean {
    return this.#refused.has(socket) || (code === 'HPE_CLOSED_CONNECTION' && this.#last.has(socket))
  }
}
