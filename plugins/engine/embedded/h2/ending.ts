import type { Duplex } from 'node:stream'
import { closeWithin } from '../../../../lib/lingering-close.ts'
import { type ErrorCode, errorCode, mostWindow } from './codes.ts'
import type { Outbox } from './outbox.ts'
import type { Streams } from './streams.ts'
import { goAwayFrame } from './write.ts'

interface Given {
  readonly socket: Duplex
  readonly out: Outbox
  readonly streams: Streams
  /** ms; 0: no limit. */
  readonly idleTime: number
  /** It is closed: from now on nothing is read, and no stream goes on. */
  stop(): void
}

/** How a connection of HTTP/2 ends (RFC 9113 section 6.8): announced and once its streams are done, or at once for an error. */
export class Ending {
  readonly #given: Given
  readonly #idle: NodeJS.Timeout
  #leaving: 'no' | 'announced' | 'yes' = 'no'
  #closed = false

  constructor(given: Given) {
    this.#given = given
    // Behind what has come by then: a request may be among it, and the end of that begins a new wait.
    const over = () => setImmediate((begun: number) => this.#rest(begun), given.streams.highest)
    this.#idle = setTimeout(over, Math.max(1, given.idleTime || mostWindow))
  }
  get closed(): boolean {
    return this.#closed
  }
  /** No more streams are taken. */
  get leaving(): boolean {
    return this.#leaving === 'yes'
  }

  /** At first says it only for soon, so that requests on their way are served; called again, from now on. */
  goAway(): void {
    const { streams } = this.#given
    if (this.#closed || this.leaving) return
    this.#leaving = this.#leaving === 'no' ? 'announced' : 'yes'
    this.#given.out.frame(goAwayFrame(this.leaving ? streams.highest : mostWindow, errorCode.none))
    this.#endIfDone()
  }
  /** The client begins no more streams. */
  clientLeaves(): void {
    this.#leaving = 'yes'
    this.#endIfDone()
  }
  streamEnded(): void {
    if (this.#closed || this.#given.streams.size > 0) return
    this.#idle.refresh()
    this.#endIfDone()
  }
  fail(code: ErrorCode): void {
    this.#given.out.frame(goAwayFrame(this.#given.streams.highest, code))
    this.#end()
  }
  /** The socket is closed, or about to be. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#idle)
    this.#given.stop()
  }

  #rest(begun: number): void {
    const { streams } = this.#given
    if (this.#closed || streams.size > 0 || streams.highest > begun) return
    this.#leaving = 'announced'
    this.goAway()
  }
  #endIfDone(): void {
    if (this.leaving && this.#given.streams.size === 0) this.#end()
  }
  #end(): void {
    if (this.#closed) return
    this.close()
    const { socket, out } = this.#given
    closeWithin(socket)
    out.end(() => socket.end())
  }
}
