import type { Certificate, Event, Route, WorkloadId } from '../../../core/index.ts'
import { covers } from '../../../lib/host.ts'

/** Tells of each route once clients are served: at once, or when the certificate that it waits for is there. */
export class Liveness {
  readonly #emit: (event: Event) => void
  readonly #waiting = new Map<string, WorkloadId>()
  constructor(emit: (event: Event) => void) {
    this.#emit = emit
  }

  put({ id, host }: Route, ready: boolean): void {
    if (ready) this.#tell(host, id)
    else this.#waiting.set(host, id)
  }
  remove({ id, host }: Route): void {
    if (this.#waiting.get(host) === id) this.#waiting.delete(host)
  }
  installed(certificates: readonly Certificate[]): void {
    if (this.#waiting.size === 0) return
    for (const name of certificates.flatMap(({ names }) => names)) {
      if (!name.startsWith('*')) this.#tell(name, this.#waiting.get(name))
      else for (const [host, id] of this.#waiting) if (covers(name, host)) this.#tell(host, id)
    }
  }

  // After the caller has its answer: `applied` comes before `live`.
  #tell(host: string, id: WorkloadId | undefined): void {
    if (id === undefined) return
    this.#waiting.delete(host)
    setImmediate(this.#emit, { type: 'live', id })
  }
}
