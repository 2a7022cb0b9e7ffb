import type { Change, Route, WorkloadId } from '../../../core/index.ts'

/** What a batch comes to: the last change of each workload counts. */
export const sort = (changes: readonly Change[], textOf: (route: Route) => string) => {
  const write = new Map<WorkloadId, string>()
  const gone = new Map<WorkloadId, Route>()
  const puts = new Map<WorkloadId, Route>()
  const refused = new Map<WorkloadId, Error>()
  for (const change of changes) {
    if ('remove' in change) {
      gone.set(change.remove.id, change.remove)
      write.delete(change.remove.id)
      puts.delete(change.remove.id)
      continue
    }
    const { put } = change
    try {
      write.set(put.id, textOf(put))
      puts.set(put.id, put)
      gone.delete(put.id)
    } catch (error) {
      refused.set(put.id, error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { write, puts: [...puts.values()], gone: [...gone.values()], refused }
}
