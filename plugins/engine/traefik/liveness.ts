import { type Event, GatewayError, type Route, type WorkloadId } from '../../../core/index.ts'
import type { Trouble } from './api.ts'
import { routerOf } from './document.ts'

/** Who hears when a route is live: after Traefik serves it without a complaint, and with a certificate for its host. */
export class Liveness {
  readonly #emit: (event: Event) => void
  readonly #hasCertificate: (route: Route) => boolean | Promise<boolean>
  readonly #waiting = new Map<WorkloadId, { readonly route: Route; readonly generation: number; taken: boolean }>()

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

  /** Tells of those for which the certificate came. */
  async check(): Promise<void> {
    for (const [id, entry] of this.#waiting) {
      if (!entry.taken || !(await this.#hasCertificate(entry.route)) || this.#waiting.get(id) !== entry) continue
      this.#waiting.delete(id)
      this.#emit({ type: 'live', id })
    }
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
