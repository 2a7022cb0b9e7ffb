import type { Redis } from 'ioredis'

const afterMs = 5_000
const chunk = 1_000
/** Beyond so many, new ones are not watched. */
const most = 100_000

/** Counts lists that still hold an answer 5 s after the last one was left there: their callers gave up. */
export const createUnfetched = (redis: Redis) => {
  /** When the last answer was left, the longest ago first. */
  const left = new Map<string, number>()
  let count = 0
  const look = async () => {
    const due: string[] = []
    for (const [list, at] of left) {
      if (at > performance.now() - afterMs) break
      due.push(list)
      left.delete(list)
    }
    for (let from = 0; from < due.length; from += chunk)
      // Nothing rests on the figure: those of a connection that broke stay uncounted.
      count += await redis.exists(...due.slice(from, from + chunk)).catch(() => 0)
  }
  const timer = setInterval(look, 1_000).unref()
  return {
    get count() {
      return count
    },
    watch: (list: string): void => {
      if (!left.delete(list) && left.size >= most) return
      left.set(list, performance.now())
    },
    close: () => clearInterval(timer),
  }
}
