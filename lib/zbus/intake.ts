import { setImmediate as turn } from 'node:timers/promises'
import type { Oversized } from './taker.ts'

export interface IntakeOptions {
  /** How many requests of the queue may be here. */
  readonly most: number
  /** How many requests are in work here: with several of them, a moment's wait costs nothing and gathers more. */
  readonly working: () => number
  /** Aborts when nothing more is taken. */
  readonly signal: AbortSignal
}

/** The most bytes of requests that one queue may have here. */
const maxBytes = 8 << 20
/** Of one trip to Redis, which does nothing else meanwhile. */
const maxTake = 512
const maxTakeBytes = 1 << 20
const gatherMs = 1

/** Bounds what is taken from one queue, and paces it: while much is in work, requests are gathered instead of taken one by one. */
export const createIntake = (
  { most, working, signal }: IntakeOptions,
  admit: (taken: Buffer | Oversized, left: () => void) => void,
) => {
  let count = 0
  let bytes = 0
  let wake = () => {}
  signal.addEventListener('abort', () => wake())
  const change = (afterMs?: number) =>
    new Promise<void>((done) => {
      const timer = afterMs === undefined ? undefined : setTimeout(done, afterMs)
      wake = () => {
        clearTimeout(timer)
        done()
      }
    })
  return {
    /** Resolves when more can be taken, with how much; rejects when nothing more is. */
    room: async () => {
      if (working() > 1) await change(gatherMs)
      // What was just taken goes on its way first: asking for more costs a system call.
      else if (working() > 0) await turn().then(() => turn())
      while (!signal.aborted && (count >= most || bytes >= maxBytes)) await change()
      signal.throwIfAborted()
      return { count: Math.min(most - count, maxTake), bytes: Math.min(maxBytes - bytes, maxTakeBytes) }
    },
    admit: (taken: Buffer | Oversized) => {
      const size = 'size' in taken ? taken.head.length + taken.tail.length : taken.length
      count++
      bytes += size
      admit(taken, () => {
        count--
        bytes -= size
        wake()
      })
    },
  }
}
