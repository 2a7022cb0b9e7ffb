import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { lingeringClose } from './lingering-close.ts'
import { timeAwake } from './patience.ts'

interface Tracked {
  /** What is written to: the socket, or the TLS socket on it. */
  stream: Duplex
  /** It passes bytes between two peers, either of which may stop sending: its owner ends it. */
  tunnel: boolean
  /** Unsent bytes at the last sweep, and since when none of them has left. */
  unsent: number
  since: number
}

/**
 * The open connections of a server. Whatever path ended one or left it alone, a sweep sees to its end: where the sending side has ended, the
 * rest is a lingering close; where the peer reads nothing of what waits for `stallTime` ms, it is destroyed.
 */
export class OpenConnections {
  readonly #all = new Map<Socket, Tracked>()
  /** By the TLS socket too, where there is one. */
  readonly #byStream = new WeakMap<Duplex, Tracked>()
  readonly #stallTime: number
  #sweeping: NodeJS.Timeout | undefined
  #empty: (() => void) | undefined

  /** 0: no limit. */
  constructor(stallTime: number) {
    this.#stallTime = stallTime
  }
  get size(): number {
    return this.#all.size
  }
  sockets(): Iterable<Socket> {
    return this.#all.keys()
  }

  add(socket: Socket): void {
    const tracked = { stream: socket, tunnel: false, unsent: 0, since: 0 }
    this.#all.set(socket, tracked)
    this.#byStream.set(socket, tracked)
    this.#sweeping ??= setInterval(() => setImmediate(() => this.#sweep()), 1_000).unref()
    socket.once('close', () => this.#remove(socket))
  }
  /** From now on it is the TLS socket that is written to. */
  secured(socket: Socket, tls: Duplex): void {
    const tracked = this.#all.get(socket)
    if (!tracked) return
    tracked.stream = tls
    this.#byStream.set(tls, tracked)
  }
  /** From now on its owner ends it. */
  tunnel(stream: Duplex): void {
    const tracked = this.#byStream.get(stream)
    if (tracked) tracked.tunnel = true
  }
  /** Called once, when the last one is closed. */
  whenEmpty(then: () => void): void {
    if (this.size === 0) then()
    else this.#empty = then
  }
  destroy(): void {
    for (const socket of this.#all.keys()) socket.destroy()
  }

  #remove(socket: Socket): void {
    this.#all.delete(socket)
    if (this.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
    this.#empty?.()
    this.#empty = undefined
  }
  #sweep(): void {
    const now = timeAwake()
    for (const [socket, tracked] of this.#all) {
      if (tracked.tunnel) continue
      const { stream } = tracked
      if (stream.writableEnded) lingeringClose(stream)
      const unsent = stream.writableLength
      if (unsent === 0 || unsent < tracked.unsent || tracked.unsent === 0) tracked.since = now
      else if (this.#stallTime > 0 && now - tracked.since > this.#stallTime) socket.destroy()
      tracked.unsent = unsent
    }
  }
}
