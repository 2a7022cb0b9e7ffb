import type { Bytes, Event, Route, WorkloadId } from '../../../core/index.ts'

/** Routes that were deleted and may still have connections: told as `removed` when their time is over. */
export class Leaving {
  readonly #emit: (event: Event) => void
  readonly #last: (route: Route) => Promise<Bytes>
  readonly #seconds: number
  readonly #leaving = new Map<WorkloadId, { readonly route: Route; readonly timer: NodeJS.Timeout }>()

  /** `last`: the last figures of a workload, which are forgotten with it. */
  constructor(seconds: number, emit: (event: Event) => void, last: (route: Route) => Promise<Bytes>) {
    this.#seconds = seconds
    this.#emit = emit
    this.#last = last
  }

  remove(route: Route): void {
    this.stays(route.id)
    const timer = setTimeout(() => void this.#end(route), this.#seconds * 1_000)
    this.#leaving.set(route.id, { route, timer })
  }
  /** It was set again. */
  stays(id: WorkloadId): void {
    clearTimeout(this.#leaving.get(id)?.timer)
    this.#leaving.delete(id)
  }
  async close(): Promise<void> {
    for (const { route, timer } of [...this.#leaving.values()]) {
      clearTimeout(timer)
      await this.#end(route)
    }
  }

  async #end(route: Route): Promise<void> {
    const entry = this.#leaving.get(route.id)
    if (!entry) return
    const bytes = await this.#last(route)
    if (this.#leaving.get(route.id) !== entry) return
    this.#leaving.delete(route.id)
    this.#emit({ type: 'removed', route, bytes })
  }
}
