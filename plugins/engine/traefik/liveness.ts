import { type Event, GatewayError, type Route, type WorkloadId } from '../../../core/index.ts'
import type { Trouble } from './api.ts'
import { routerOf } from './document.ts'

/** Milliseconds between two looks for a certificate: an eighth of the time that it took already, from the least to the most. */
const [least, most] = [250, 60_000]

interface Entry {
  readonly route: Route
  readonly generation: number
  /** Traefik serves it since then; `undefined`: not yet. */
  taken?: number
  /** The next look for its certificate. */
  due: number
}

/** Routes of one certificate are looked after together. */
const keyOf = ({ host, tls }: Route): string => (tls.mode === 'passthrough' ? host : `${tls.resolver} ${tls.names.join(' ')}`)

/** Who hears when a route is live: after Traefik serves it without a complaint, and with a certificate for its host. */
export class Liveness {
  readonly #emit: (event: Event) => void
  readonly #hasCertificate: (route: Route) => boolean | Promise<boolean>
  readonly #waiting = new Map<WorkloadId, Entry>()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #last: Promise<void> = Promise.resolve()

  constructor(emit: (event: Event) => void, hasCertificate: (route: Route) => boolean | Promise<boolean>) {
    this.#emit = emit
    this.#hasCertificate = hasCertificate
  }

  get waiting(): number {
    return this.#waiting.size
  }
  put(route: Route, generation: number): void {
    this.#waiting.set(route.id, { route, generation, due: 0 })
  }
  remove(id: WorkloadId): void {
    this.#waiting.delete(id)
  }

  /** Traefik serves this generation; `troubles` are the routers that it refuses. Nobody waits here for a certificate. */
  served(generation: number, troubles: readonly Trouble[]): void {
    const refused = new Map(troubles.map((trouble) => [trouble.name.replace(/@.*$/, ''), trouble]))
    for (const [id, entry] of this.#waiting) {
      if (entry.generation > generation) continue
      const trouble = refused.get(routerOf(entry.route))
      if (trouble?.status === 'disabled') this.#refuse(id, trouble)
      else entry.taken ??= performance.now()
    }
    this.#look()
  }

  /** Certificates changed: tells of those for which theirs is there. */
  check(): void {
    for (const entry of this.#waiting.values()) entry.due = 0
    this.#look()
  }
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  #look(): void {
    this.#last = this.#last.then(() => this.#lookOnce())
  }
  async #lookOnce(): Promise<void> {
    clearTimeout(this.#timer)
    const seen = new Map<string, boolean>()
    for (const [id, entry] of this.#waiting) {
      if (entry.taken === undefined || entry.due > performance.now()) continue
      const key = keyOf(entry.route)
      const there = seen.get(key) ?? (await this.#hasCertificate(entry.route))
      seen.set(key, there)
      const now = performance.now()
      entry.due = now + Math.min(most, Math.max(least, (now - entry.taken) / 8))
      if (!there || this.#waiting.get(id) !== entry) continue
      this.#waiting.delete(id)
      this.#emit({ type: 'live', id })
    }
    const dues = [...this.#waiting.values()].flatMap(({ taken, due }) => (taken === undefined ? [] : due))
    if (dues.length === 0 || this.#closed) return
    const next = dues.reduce((soonest, due) => Math.min(soonest, due))
    this.#timer = setTimeout(() => this.#look(), Math.max(least, next - performance.now())).unref()
  }

  #refuse(id: WorkloadId, { reasons }: Trouble): void {
    this.#waiting.delete(id)
    const why = reasons.join('; ') || 'it does not say why'
    this.#emit({
      type: 'live',
      id,
      error: new GatewayError('ENGINE_UNAVAILABLE', `Traefik refuses the route: ${why}`, 'see gateway status'),
    })
  }
}
