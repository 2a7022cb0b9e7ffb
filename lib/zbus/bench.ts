import type { Oversized } from './taker.ts'

export interface BenchOptions {
  /** How many requests of the queue may be here. */
  readonly most: number
  /** Whether requests are in work, so that a moment's wait costs them nothing and gathers more. */
  readonly busy: () => boolean
}

/** The most bytes of requests that one queue may have here. */
const maxBytes = 8 << 20
const gatherMs = 1

/** Bounds what is taken from one queue, and paces it: while something is in work, requests are gathered instead of taken one by one. */
export const createBench = ({ most, busy }: BenchOptions, admit: (taken: Buffer | Oversized, left: () => void) => void) => {
  let count = 0
  let bytes = 0
  let wake = () => {}
  const change = (afterMs?: number) =>
    new Promise<void>((done) => {
      const timer = afterMs === undefined ? undefined : setTimeout(done, afterMs)
      wake = () => {
        clearTimeout(timer)
        done()
      }
    })
  return {
    room: async () => {
      if (busy()) await change(gatherMs)
      while (count >= most || bytes >= maxBytes) await change()
      return { count: most - count, bytes: maxBytes - bytes }
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
