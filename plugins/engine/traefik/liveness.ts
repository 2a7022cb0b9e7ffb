import { type Event, GatewayError, type Route, type WorkloadId } from '../../../core/index.ts'
import type { Trouble } from './api.ts'
import { routerOf } from './document.ts'

/** Milliseconds between two looks for a certificate. */
const every = 250

/** Routes of one certificate are looked after together. */
const keyOf = ({ host, tls }: Route): string => (tls.mode === 'passthrough' ? host : `${tls.resolver} ${tls.names.join(' ')}`)

/** Who hears when a route is live: after Traefik serves it without a complaint, and with a certificate for its host. */
export class Liveness {
  readonly #emit: (event: Event) => void
  readonly #hasCertificate: (route: Route) => boolean | Promise<boolean>
  readonly #waiting = new Map<WorkloadId, { readonly route: Route; readonly generation: number; taken: boolean }>()
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(emit: (event: Event) => void, hasCertificate: (route: Route) => boolean | Promise<boolean>) {
    this.#emit = emit
    this.#hasCertificate = hasCertificate
  }

  get waiting(): number {
    return this.#waiting.size
  }
  put(route: Route, generation: number): void {
    this.#waiting.set(route.id, { route, generation, taken: false })
  }
  remove(id: WorkloadId): void {
    this.#waiting.delete(id)
  }

  /** Traefik serves this generation; `troubles` are the routers that it refuses. */
  async served(generation: number, troubles: readonly Trouble[]): Promise<void> {
    const refused = new Map(troubles.map((trouble) => [trouble.name.replace(/@.*$/, ''), trouble]))
    for (const [id, entry] of this.#waiting) {
      if (entry.generation > generation) continue
      const trouble = refused.get(routerOf(entry.route))
      if (trouble?.status === 'disabled') this.#refuse(id, trouble)
      else entry.taken = true
    }
    await this.check()
  }

  /** Tells of those for which the certificate is there, and looks again for the others. */
  check(): Promise<void> {
    this.#last = this.#last.then(() => this.#look())
    return this.#last
  }
  close(): void {
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    const seen = new Map<string, boolean>()
    for (const [id, entry] of this.#waiting) {
      if (!entry.taken) continue
      const key = keyOf(entry.route)
      const there = seen.get(key) ?? (await this.#hasCertificate(entry.route))
      seen.set(key, there)
      if (!there || this.#waiting.get(id) !== entry) continue
      this.#waiting.delete(id)
      this.#emit({ type: 'live', id })
    }
    if ([...seen.values()].includes(false)) this.#timer = setTimeout(() => void this.check(), every).unref()
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
