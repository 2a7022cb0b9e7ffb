import { descriptorLimit, descriptorOf } from '../../../lib/file-descriptors.ts'
import { Refusals } from './refusals.ts'

/** Keeps file descriptors for the API, the command line, the store and DNS, however many connections clients open. */
export class Descriptors {
  readonly limit: number
  /** The most client connections, so that requests find descriptors for their backends: three fifths of what is not kept. */
  readonly mostClients: number
  readonly #usable: number
  readonly #dialable: number
  readonly refusals = new Refusals()

  constructor(limit = descriptorLimit()) {
    const kept = Math.min(1_024, Math.max(64, Math.floor(limit / 4)))
    this.limit = limit
    this.#usable = limit - kept
    // Requests that are under way may still reach their backends where no more clients come in.
    this.#dialable = limit - kept / 2
    this.mostClients = Math.max(16, Math.floor(this.#usable * 0.6))
  }

  /** Whether the new connection of a client leaves enough for everything else. */
  admits(socket: object): boolean {
    return descriptorOf(socket) < this.#usable || this.refusals.add()
  }
  /** The same for a new connection to a backend. */
  admitsBackend(socket: object): boolean {
    return descriptorOf(socket) < this.#dialable || this.refusals.add()
  }
  /** No descriptor or local port was there for a connection to a backend. */
  ranOut(): void {
    this.refusals.add()
  }

  /** What is short now, for the operator; `undefined`: nothing. */
  shortage(now = performance.now()): string | undefined {
    if (!this.refusals.recent(now)) return undefined
    return `connections are refused: of ${this.limit} file descriptors too few are left (raise LimitNOFILE of the unit, or ulimit -n)`
  }
}
