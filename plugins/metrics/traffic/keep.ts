import type { Routes, WorkloadId } from '../../../core/index.ts'
import type { Counts } from './count.ts'

/** Deleted workloads whose sums are kept at most; beyond, the one deleted first is forgotten first. */
const most = 10_000
/** Between two looks for workloads whose deletion or return was missed. */
const sweepEvery = 3_600_000
const firstSweep = 60_000

/** Forgets the sums of workloads `keep` ms after they were deleted. */
export const keeping = (counts: Counts, routes: Routes, keep: number, now: () => number = Date.now) => {
  /** In order of deletion. */
  const deleted = new Map<WorkloadId, number>()
  let swept = false
  let nextSweep = now() + firstSweep

  const mark = (id: WorkloadId, at: number | undefined) => {
    deleted.delete(id)
    if (at !== undefined) deleted.set(id, at)
    if (counts.deletedAt(id) !== at) counts.setDeleted(id, at)
  }
  const sweep = () => {
    const first = !swept
    swept = true
    const gone = [...counts.ids()].filter((id) => {
      if (!routes.get(id)) return true
      if (deleted.has(id) || (first && counts.deletedAt(id) !== undefined)) mark(id, undefined)
      return false
    })
    const dated = gone.map((id) => ({ id, at: counts.deletedAt(id) ?? now() })).sort((a, b) => a.at - b.at)
    for (const { id, at } of dated) mark(id, at)
  }

  return {
    gone: (id: WorkloadId) => mark(id, now()),
    back: (id: WorkloadId) => {
      if (deleted.has(id)) mark(id, undefined)
    },
    /** The workloads whose time is over. */
    over: (): readonly WorkloadId[] => {
      if (now() >= nextSweep) {
        nextSweep = now() + sweepEvery
        sweep()
      }
      const over: WorkloadId[] = []
      for (const [id, at] of deleted) {
        if (deleted.size <= most && at + keep > now()) break
        if (routes.get(id)) mark(id, undefined)
        else over.push(id)
        deleted.delete(id)
      }
      return over
    },
  }
}
