import { setImmediate as turn } from 'node:timers/promises'
import type { Bytes, Core, WorkloadId } from '../../../core/index.ts'
import { marks } from './mark.ts'

/** How much of a counter of the engine is in the sums. */
interface Counted {
  epoch: string
  figure: Bytes
}
/** Workloads that are written together, and those of them that are encoded before others have their turn. */
const [together, atOnce] = [100, 20]
const zero: Bytes = { request: 0, response: 0 }

/**
 * Turns the engine's counters into sums. Beside the ledger stands a mark per workload: the epoch, and the sum when its counter was at
 * zero. So who starts next to an engine that ran on knows how much of its counters the ledger has already.
 */
export const counting = (ledger: Core['ledger'], state: Core['state']) => {
  const stored = marks(state)
  const counters = new Map<WorkloadId, Counted>()
  /** What is not in the ledger yet. */
  const pending = new Map<WorkloadId, Bytes>()
  let failed = false

  const total = (id: WorkloadId): Bytes => plus(ledger.sums.get(id) ?? zero, pending.get(id) ?? zero)
  /** What the ledger has of a counter, by the mark of who was here before. */
  const marked = (id: WorkloadId): Counted | undefined => {
    const mark = stored.get(id)
    const sum = total(id)
    // A crash may have left the sum behind its mark.
    return mark && covers(sum, mark.base) ? { epoch: mark.epoch, figure: minus(sum, mark.base) } : undefined
  }
  const begin = (id: WorkloadId, epoch: string, figure: Bytes): Counted => {
    const mark = marked(id)
    return mark?.epoch === epoch && covers(figure, mark.figure) ? mark : fromZero(id, epoch)
  }
  const fromZero = (id: WorkloadId, epoch: string): Counted => {
    stored.set(id, { ...stored.get(id), epoch, base: total(id) })
    return { epoch, figure: zero }
  }

  return {
    /** The counter of a workload stands at `figure` in this epoch. */
    see: (id: WorkloadId, epoch: string, figure: Bytes) => {
      const last = counters.get(id)
      const same = last?.epoch === epoch
      if (same ? equal(figure, last.figure) : equal(figure, zero)) return
      const counter = same ? last : begin(id, epoch, figure)
      const delta = growth(figure, counter.figure)
      counter.figure = plus(counter.figure, delta)
      counters.set(id, counter)
      if (!equal(delta, zero)) pending.set(id, plus(pending.get(id) ?? zero, delta))
    },
    /** The engine forgot its counter: the next figure counts from zero. Returns false where there was nothing to count. */
    ended: (id: WorkloadId, epoch: string): boolean => {
      counters.delete(id)
      const counted = !equal(total(id), zero)
      if (counted && stored.get(id)?.epoch === epoch) fromZero(id, epoch)
      return counted
    },
    /** After a start beside an engine that ran on: a counter that is not there any more was forgotten while nobody looked. */
    absent: (epoch: string, present: ReadonlyMap<WorkloadId, Bytes>) => {
      for (const id of ledger.sums.keys()) {
        const counter = present.has(id) ? undefined : marked(id)
        if (counter?.epoch === epoch && !equal(counter.figure, zero)) fromZero(id, epoch)
      }
    },
    deletedAt: (id: WorkloadId): number | undefined => stored.get(id)?.deleted,
    setDeleted: (id: WorkloadId, deleted: number | undefined) => {
      const { epoch, base } = stored.get(id) ?? { epoch: '', base: zero }
      stored.set(id, deleted === undefined ? { epoch, base } : { epoch, base, deleted })
    },
    ids: (): Iterable<WorkloadId> => ledger.sums.keys(),
    /**
     * What a crash must not lose, some workloads at once so that operations come between. The mark and the sum of a workload are asked for
     * together: a store that groups commits writes them in one.
     */
    commit: async () => {
      const ids = [...new Set([...stored.waiting(), ...pending.keys()])]
      const errors: unknown[] = []
      const writing: Promise<unknown>[] = []
      for (let at = 0; at < ids.length || (failed && at === 0); at += atOnce) {
        const some = ids.slice(at, at + atOnce)
        const deltas = new Map<WorkloadId, Bytes>()
        for (const id of some) {
          const delta = pending.get(id)
          if (delta && pending.delete(id)) deltas.set(id, delta)
        }
        // The mark first: one that is ahead of its sum is seen to be.
        const marked = stored.written(some)
        const added = deltas.size > 0 || failed ? ledger.add(deltas) : undefined
        writing.push(Promise.all([marked, added]).catch((error) => errors.push(error)))
        if (writing.length < together / atOnce) await turn()
        else await Promise.all(writing.splice(0))
      }
      await Promise.all(writing)
      failed = errors.length > 0
      if (failed) throw errors[0]
    },
    forget: async (ids: readonly WorkloadId[]) => {
      if (ids.length === 0) return
      for (const id of ids) {
        counters.delete(id)
        pending.delete(id)
        stored.set(id, undefined)
      }
      await Promise.all([stored.written(ids), ledger.forget(ids)])
    },
    sums: (): ReadonlyMap<WorkloadId, Bytes> => {
      const sums = new Map(ledger.sums)
      for (const id of pending.keys()) sums.set(id, total(id))
      return sums
    },
  }
}
export type Counts = ReturnType<typeof counting>

const equal = (a: Bytes, b: Bytes) => a.request === b.request && a.response === b.response
const covers = (a: Bytes, b: Bytes) => a.request >= b.request && a.response >= b.response
const plus = (a: Bytes, b: Bytes): Bytes => ({ request: a.request + b.request, response: a.response + b.response })
const minus = (a: Bytes, b: Bytes): Bytes => ({ request: a.request - b.request, response: a.response - b.response })
/** A counter of a running engine only grows; one that is said to shrink is taken to stand still, so that nothing is billed twice. */
const growth = (now: Bytes, before: Bytes): Bytes => ({
  request: Math.max(0, now.request - before.request),
  response: Math.max(0, now.response - before.response),
})
