import { watchLive } from './live.ts'

/** A proxy whose routes are set and deleted; each returns when it is answered, or written. */
export interface Churned {
  readonly https: number
  /** Has `name` served by the backend with this URL. */
  set(name: string, backend: string): Promise<unknown>
  remove(name: string): Promise<unknown>
  close(): Promise<unknown>
}
/** What a request to a host of the benchmark says of who answers. */
export interface Backend {
  readonly url: string
  /** Whether an answer with these headers is its own. */
  readonly isIts: (headers: Readonly<Record<string, unknown>>) => boolean
}

/** ms from a call until its route, or its change, is served. */
export interface Served {
  readonly set: number[]
  readonly change: number[]
}

/** Of so many pairs one is followed by a change of backends. */
const changeEvery = 5

/**
 * So many callers set a route each, delete the one before it as soon as that is answered, and go on when the new one is served; now and
 * then they change its backends too.
 */
export const churn = async (o: {
  subject: Churned
  callers: number
  /** Pairs of all callers together. */
  pairs: number
  hostOf: (name: string) => string
  backends: readonly [Backend, Backend]
}): Promise<Served> => {
  const { subject, hostOf, backends } = o
  const served: Served = { set: [], change: [] }
  const [first, second] = backends
  const one = async (caller: number, rounds: number) => {
    const watch = watchLive(subject.https, hostOf('w0'))
    const time = async (kind: keyof Served, began: number, name: string, { isIts }: Backend) => {
      await watch.until(hostOf(name), isIts)
      served[kind].push(performance.now() - began)
    }
    const name = (round: number) => `c${caller}x${round}`
    try {
      for (let round = 0; round < rounds; round++) {
        const began = performance.now()
        await subject.set(name(round), first.url)
        const seen = time('set', began, name(round), first)
        if (round > 0) await subject.remove(name(round - 1))
        await seen
        if (round % changeEvery !== 0) continue
        const changed = performance.now()
        await subject.set(name(round), second.url)
        await time('change', changed, name(round), second)
      }
      await subject.remove(name(rounds - 1))
    } finally {
      watch.close()
    }
  }
  const rounds = Math.max(2, Math.ceil(o.pairs / o.callers))
  await Promise.all(Array.from({ length: o.callers }, (_, caller) => one(caller, rounds)))
  return served
}
