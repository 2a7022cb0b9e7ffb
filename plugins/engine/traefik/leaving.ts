import { setTimeout as wait } from 'node:timers/promises'
import type { Event, Route, WorkloadId } from '../../../core/index.ts'
import type { RelayClient } from './relay/client.ts'

/** At the end of the gateway, in ms. */
const patience = 3_000

/** Routes that were deleted and may still have connections: told as `removed`, with their last figures, when those are over. */
export class Leaving {
  readonly #emit: (event: Event) => void
  readonly #relay: RelayClient
  readonly #seconds: number
  readonly #routes = new Map<WorkloadId, Route>()
  #empty: (() => void) | undefined

  constructor(seconds: number, emit: (event: Event) => void, relay: RelayClient) {
    this.#seconds = seconds
    this.#emit = emit
    this.#relay = relay
  }

  remove(route: Route): void {
    this.#remove(route, this.#seconds * 1_000)
  }
  /** It was set again. */
  stays(id: WorkloadId): void {
    this.#relay.returned(id)
    this.#routes.delete(id)
  }
  /** Traefik ended: what was still open is not. */
  async close(): Promise<void> {
    for (const route of this.#routes.values()) this.#remove(route, 0)
    if (this.#routes.size === 0) return
    const late = new AbortController()
    await Promise.race([
      new Promise<void>((done) => {
        this.#empty = done
      }),
      wait(patience, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
  }

  #remove(route: Route, drain: number): void {
    this.#routes.set(route.id, route)
    // When requests end Traefik counts them, and nobody sees how many are left.
    const linger = route.tls.mode === 'terminate'
    this.#relay.remove(route.id, drain, linger, (bytes) => {
      this.#routes.delete(route.id)
      this.#emit({ type: 'removed', route, bytes })
      if (this.#routes.size === 0) this.#empty?.()
    })
  }
}
