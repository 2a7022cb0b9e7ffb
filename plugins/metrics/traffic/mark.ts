import type { Bytes, Core, WorkloadId } from '../../../core/index.ts'

export interface Mark {
  /** The epoch of the engine's counters that `base` belongs to. */
  readonly epoch: string
  /** The sum when the engine's counter of this workload stood at zero. */
  readonly base: Bytes
  /** When the workload was deleted, in ms since 1970. */
  readonly deleted?: number
}

/** Marks of workloads, kept with the plugin's own state, one key each. */
export const marks = (state: Core['state']) => {
  const waiting = new Map<WorkloadId, Mark | undefined>()
  const writing = new Map<WorkloadId, Mark | undefined>()
  const latest = (id: WorkloadId) => [waiting, writing].find((marks) => marks.has(id))
  return {
    get: (id: WorkloadId): Mark | undefined => {
      const held = latest(id)
      return held ? held.get(id) : decode(state.get(id))
    },
    /** Takes effect at once; durable after the next `written`. */
    set: (id: WorkloadId, mark: Mark | undefined) => {
      waiting.set(id, mark)
    },
    /** Those whose marks wait to be written. */
    waiting: (): Iterable<WorkloadId> => waiting.keys(),
    /** Resolves when what was set for these is durable; what failed waits for the next call. */
    written: async (ids: readonly WorkloadId[]): Promise<void> => {
      const write = async (id: WorkloadId) => {
        if (!waiting.has(id)) return
        const mark = waiting.get(id)
        waiting.delete(id)
        writing.set(id, mark)
        try {
          await state.set(id, mark ? encode(mark) : null)
        } catch (error) {
          if (!waiting.has(id)) waiting.set(id, mark)
          throw error
        } finally {
          if (writing.get(id) === mark) writing.delete(id)
        }
      }
      const failed = (await Promise.allSettled(ids.map(write))).find((outcome) => outcome.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

const encode = ({ epoch, base, deleted }: Mark) =>
  new TextEncoder().encode(JSON.stringify([epoch, base.request, base.response, deleted]))

const decode = (bytes: Uint8Array | undefined): Mark | undefined => {
  if (!bytes) return undefined
  const read: unknown = JSON.parse(new TextDecoder().decode(bytes))
  if (!Array.isArray(read)) return undefined
  const [epoch, request, response, deleted]: unknown[] = read
  if (typeof epoch !== 'string' || typeof request !== 'number' || typeof response !== 'number') return undefined
  const mark = { epoch, base: { request, response } }
  return typeof deleted === 'number' ? { ...mark, deleted } : mark
}
