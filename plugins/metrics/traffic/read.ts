import { setImmediate as turn } from 'node:timers/promises'
import type { Bytes, Traffic, WorkloadId } from '../../../core/index.ts'
import type { Counts } from './count.ts'

/** Seconds that the engine has to answer. */
const limit = 3

/** Counters that are looked at before others have their turn. */
const atOnce = 50

interface Removal {
  readonly id: WorkloadId
  readonly bytes: Bytes
  /** Called where the workload has sums to keep. */
  readonly kept: (id: WorkloadId) => void
}

/** Reads the engine's counters, one read at a time, and brings the last figures of removed workloads in at the right place between them. */
export const reading = (engine: Traffic, counts: Counts) => {
  let epoch: string | undefined
  /** Of the last answer that was taken in whole. */
  let mark: number | undefined
  let current: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  /** While a read is under way, its answer may still hold the counter of what was removed since it began. */
  let removedMeanwhile = new Set<WorkloadId>()
  /** Removals before the first read, when nothing says yet whether the counters are those that are marked. */
  let early: Removal[] = []

  const fold = ({ id, bytes, kept }: Removal, now: string) => {
    counts.see(id, now, bytes)
    if (counts.ended(id, now)) kept(id)
  }
  const read = async () => {
    removedMeanwhile = new Set()
    const answer = await within(limit, (signal) => engine.read(signal, mark))
    const removals = early
    early = []
    for (const removal of removals) fold(removal, answer.epoch)
    if (epoch === undefined) counts.absent(answer.epoch, answer.bytes)
    epoch = answer.epoch
    let seen = 0
    for (const [id, bytes] of answer.bytes) {
      if (!removedMeanwhile.has(id)) counts.see(id, answer.epoch, bytes)
      if (++seen % atOnce === 0) await turn() // requests go on meanwhile
    }
    mark = answer.mark
  }

  return {
    /** A read that begins after this call. */
    fresh: (): Promise<void> => {
      next ??= current.then(() => {
        next = undefined
        const reading = read()
        current = reading.catch(() => undefined)
        return reading
      })
      return next
    },
    removed: (removal: Removal) => {
      removedMeanwhile.add(removal.id)
      if (epoch === undefined) early.push(removal)
      else fold(removal, epoch)
    },
  }
}

const within = async <T>(seconds: number, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${seconds} s`)
    stop.abort(error)
    late.reject(error)
  }, seconds * 1_000)
  try {
    return await Promise.race([work(stop.signal), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
