import type { WorkloadId } from './operation.ts'

/** Who waits for a workload to be live. */
export const liveness = () => {
  const waiting = new Map<WorkloadId, Set<(error?: Error) => void>>()
  return {
    settle(id: WorkloadId, error?: Error) {
      const waiters = waiting.get(id)
      waiting.delete(id)
      for (const settle of waiters ?? []) settle(error)
    },
    /** Resolves with the next `live` of the workload; rejects with its error, or with the signal's reason. */
    next: (id: WorkloadId, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const waiters = waiting.get(id) ?? new Set()
        waiting.set(id, waiters)
        const abort = () => {
          waiters.delete(settle)
          if (waiters.size === 0 && waiting.get(id) === waiters) waiting.delete(id)
          reject(signal.reason)
        }
        const settle = (error?: Error) => {
          signal.removeEventListener('abort', abort)
          if (error) reject(error)
          else resolve()
        }
        waiters.add(settle)
        if (signal.aborted) abort()
        else signal.addEventListener('abort', abort, { once: true })
      }),
  }
}
