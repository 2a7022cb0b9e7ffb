import type { Bytes, WorkloadId } from './operation.ts'
import type { Core, Write } from './plugin.ts'

const zero: Bytes = { request: 0, response: 0 }

/** The durable sums of traffic. In memory they are always right; what a failed write left behind goes with the next one. */
export const ledger = (
  commit: (writes: readonly Write[]) => Promise<void>,
): Core['ledger'] & {
  load(stored: ReadonlyMap<WorkloadId, Bytes>): void
  /** What is counted from now on goes there instead; undefined: to the store again. */
  divert(to: ((deltas: ReadonlyMap<WorkloadId, Bytes>) => void) | undefined): void
} => {
  let elsewhere: ((deltas: ReadonlyMap<WorkloadId, Bytes>) => void) | undefined
  const sums = new Map<WorkloadId, Bytes>()
  const dirty = new Set<WorkloadId>()
  const flush = async () => {
    if (!dirty.size || elsewhere) return
    const changed = [...dirty]
    dirty.clear()
    try {
      await commit([{ ledger: new Map(changed.map((id) => [id, sums.get(id) ?? null])) }])
    } catch (error) {
      for (const id of changed) dirty.add(id)
      throw error
    }
  }
  return {
    sums,
    load(stored) {
      for (const [id, bytes] of stored) sums.set(id, bytes)
    },
    divert(to) {
      elsewhere = to
    },
    add(deltas) {
      for (const [id, delta] of deltas) {
        const sum = sums.get(id) ?? zero
        sums.set(id, { request: sum.request + delta.request, response: sum.response + delta.response })
        dirty.add(id)
      }
      elsewhere?.(deltas)
      return flush()
    },
    forget(ids) {
      for (const id of ids) if (sums.delete(id)) dirty.add(id)
      return flush()
    },
  }
}
