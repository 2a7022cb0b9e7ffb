import { type Count, type Counter, type Scrape, workloadOf } from './scrape.ts'

/** Of the Traefik that was looked at last, to be kept over a restart of ours. */
export interface Seen {
  readonly started: number
  readonly used: number
}

/** Bytes that were counted since the last look. */
interface Growth {
  readonly request: number
  readonly response: number
}

/** Seconds by which a start time differs that is the same: the kernel reckons it from a clock of whole seconds. */
const same = 1.5

/**
 * Makes counters that only grow out of Traefik's, which begin again from zero when it restarts, and when a service went and came
 * back. What it counted is counted once, whatever of it vanished meanwhile.
 */
export class Fold {
  /** The last figure of each service. */
  readonly services = new Map<string, Count>()
  seen: Seen | undefined
  readonly #add: (id: string, more: Growth) => void

  constructor(add: (id: string, more: Growth) => void) {
    this.#add = add
  }

  /** `clock`: seconds by which the system's clock was set since the last look, which moves start times as well. */
  take(scrape: Scrape, clock = 0): void {
    const { seen } = this
    const restarted = seen !== undefined && (Math.abs(scrape.started - seen.started - clock) > same || scrape.used < seen.used)
    if (restarted) this.services.clear()
    this.seen = { started: scrape.started, used: scrape.used }
    for (const service of [...this.services.keys()]) if (!scrape.services.has(service)) this.services.delete(service)
    for (const [service, count] of scrape.services) {
      const id = workloadOf(service)
      if (id === undefined) continue
      const last = this.services.get(service)
      this.services.set(service, count)
      const more = { request: growth(count.request, last?.request), response: growth(count.response, last?.response) }
      if (more.request > 0 || more.response > 0) this.#add(id, more)
    }
  }
  /** What Traefik has counted until now is no news: nobody knows what of it was told of. */
  skip(scrape: Scrape): void {
    this.seen = { started: scrape.started, used: scrape.used }
    this.services.clear()
    for (const [service, count] of scrape.services) if (workloadOf(service) !== undefined) this.services.set(service, count)
  }
}

/**
 * A counter of another time began again from zero, and so did one that stands lower than before. The time is what tells where a service
 * went, came back and passed its old figure between two looks.
 */
const growth = (now: Counter, before: Counter = { bytes: 0 }): number => {
  const another = now.since !== undefined && before.since !== undefined && now.since !== before.since
  return another || now.bytes < before.bytes ? now.bytes : now.bytes - before.bytes
}
