import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OpenConnections } from '../../../lib/open-connections.ts'
import { patience } from '../../../lib/patience.ts'
import type { Descriptors } from './descriptors.ts'
import { Refusals } from './refusals.ts'

/** Every connection of a client that is open, with its HTTP/2 session where it has one. */
export class Connections {
  readonly open: OpenConnections
  readonly #sessions = new Set<{ goAway(): void }>()
  readonly #most: number
  readonly #descriptors: Descriptors
  readonly refusals = new Refusals()

  /** `stallTime`: ms after which one that reads nothing of what waits for it is cut. */
  constructor(most: number, stallTime: number, descriptors: Descriptors) {
    this.#most = most > 0 ? Math.min(most, descriptors.mostClients) : descriptors.mostClients
    this.#descriptors = descriptors
    this.open = new OpenConnections(stallTime)
  }
  /** How many there may be. */
  get most(): number {
    return this.#most
  }
  get size(): number {
    return this.open.size
  }

  /** False, and the connection is closed, where there are too many. */
  add(socket: Socket): boolean {
    socket.on('error', () => {})
    const admitted = this.open.size < this.#most ? this.#descriptors.admits(socket) : this.refusals.add()
    if (!admitted) {
      socket.resetAndDestroy()
      return false
    }
    this.open.add(socket)
    // Who stops sending may still want the answer: HTTP and tunnels decide that themselves.
    socket.allowHalfOpen = true
    socket.setNoDelay(true)
    return true
  }
  addSession(session: { goAway(): void }, socket: Duplex): void {
    this.#sessions.add(session)
    socket.on('close', () => this.#sessions.delete(session))
  }

  /** Why new ones are closed now, for the operator; `undefined`: they are not. */
  shortage(): string | undefined {
    return this.refusals.recent() ? `connections are refused: ${this.#most} are open, the most that there may be` : undefined
  }

  /** Says GOAWAY to all HTTP/2 clients; their running streams go on. Said twice, it is from then on. */
  goAway(): void {
    for (const session of this.#sessions) session.goAway()
  }
  /** Ends when the last connection is closed, after `time` ms at the latest. */
  async idle(time: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const over = patience(time, resolve)
    this.open.whenEmpty(resolve)
    await promise
    over()
  }
  cut(): void {
    this.open.destroy()
  }
}
