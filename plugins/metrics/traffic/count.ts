import type { Bytes, Core, WorkloadId } from '../../../core/index.ts'
import { type Mark, marks } from './mark.ts'

/** What is known of one workload. Its sum is always `mark.base` plus the counter of the engine in epoch `mark.epoch`. */
interface Entry {
  sum: Bytes
  mark: Mark | undefined
}
const zero: Bytes = { request: 0, response: 0 }

/**
 * The sums, from the engine's counters and what the ledger had. The base of a sum is durable before the sum itself moves, so whoever
 * starts next knows how much of a running engine's counter the ledger has already. Losing power between the two loses one interval.
 */
export const counting = (ledger: Core['ledger'], state: Core['state']) => {
  const stored = marks(state)
  const entries = new Map<WorkloadId, Entry>()
  const changed = new Set<WorkloadId>()
  let behind = false

  const entryOf = (id: WorkloadId): Entry => {
    const known = entries.get(id)
    if (known) return known
    const entry = { sum: ledger.sums.get(id) ?? zero, mark: stored.get(id) }
    entries.set(id, entry)
    return entry
  }
  const rebase = (id: WorkloadId, entry: Entry, epoch: string) => {
    entry.mark = { ...entry.mark, epoch, base: entry.sum }
    stored.set(id, entry.mark)
    return entry.mark
  }

  return {
    /** The counter of a workload stands at `figure` in this epoch. */
    see: (id: WorkloadId, epoch: string, figure: Bytes) => {
      if (figure.request === 0 && figure.response === 0) return
      const entry = entryOf(id)
      const { base } = sameCount(entry, epoch, figure) ?? rebase(id, entry, epoch)
      const sum = { request: base.request + figure.request, response: base.response + figure.response }
      if (sum.request === entry.sum.request && sum.response === entry.sum.response) return
      entry.sum = sum
      changed.add(id)
    },
    /** The engine forgot its counter: the next figure counts from zero. Returns false where there is nothing to keep. */
    ended: (id: WorkloadId, epoch: string): boolean => {
      const entry = entryOf(id)
      const any = entry.sum.request > 0 || entry.sum.response > 0
      if (any) rebase(id, entry, epoch)
      else entries.delete(id)
      return any
    },
    deletedAt: (id: WorkloadId): number | undefined => (entries.get(id)?.mark ?? stored.get(id))?.deleted,
    setDeleted: (id: WorkloadId, deleted: number | undefined) => {
      const entry = entryOf(id)
      const { epoch = '', base = zero } = entry.mark ?? {}
      entry.mark = deleted === undefined ? { epoch, base } : { epoch, base, deleted }
      stored.set(id, entry.mark)
    },
    ids: (): Iterable<WorkloadId> => ledger.sums.keys(),
    forget: async (ids: readonly WorkloadId[]) => {
      if (ids.length === 0) return
      for (const id of ids) {
        entries.delete(id)
        changed.delete(id)
        stored.set(id, undefined)
      }
      await Promise.all([stored.written(), ledger.forget(ids)])
    },
    /** Makes durable what changed. Both are asked for at once, so that a store which groups commits writes them in one. */
    commit: async () => {
      const marked = stored.written()
      const deltas = new Map([...changed].map((id) => [id, since(entryOf(id).sum, ledger.sums.get(id) ?? zero)]))
      changed.clear()
      const added = deltas.size > 0 || behind ? ledger.add(deltas) : undefined
      behind = true
      await Promise.all([marked, added])
      behind = false
    },
    sums: (): ReadonlyMap<WorkloadId, Bytes> => {
      const sums = new Map(ledger.sums)
      for (const id of changed) sums.set(id, entryOf(id).sum)
      return sums
    },
  }
}
export type Counts = ReturnType<typeof counting>

const sameCount = ({ sum, mark }: Entry, epoch: string, figure: Bytes): Mark | undefined => {
  if (mark?.epoch !== epoch) return undefined
  const counted = since(sum, mark.base)
  return figure.request >= counted.request && figure.response >= counted.response ? mark : undefined
}
const since = (sum: Bytes, base: Bytes): Bytes => ({
  request: sum.request - base.request,
  response: sum.response - base.response,
})
