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
  return {
    get: (id: WorkloadId): Mark | undefined => (waiting.has(id) ? waiting.get(id) : decode(state.get(id))),
    /** Takes effect at once; durable after the next `written`. */
    set: (id: WorkloadId, mark: Mark | undefined) => {
      waiting.set(id, mark)
    },
    /** Resolves when all that was set is durable; what failed waits for the next call. */
    written: async (): Promise<void> => {
      const writes = [...waiting]
      waiting.clear()
      const failed = await Promise.all(
        writes.map(([id, mark]) =>
          state.set(id, mark ? encode(mark) : null).then(
            () => undefined,
            (error: unknown) => {
              if (!waiting.has(id)) waiting.set(id, mark)
              return { error }
            },
          ),
        ),
      )
      const first = failed.find((outcome) => outcome !== undefined)
      if (first) throw first.error
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
