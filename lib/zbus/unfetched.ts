import type { Redis } from 'ioredis'

const seconds = 5
const chunk = 1_000
/** Of one second; what is over is not watched. */
const most = 20_000

/** Counts lists that still hold an answer 5 s after the last one was left there: their callers gave up. */
export const createUnfetched = (redis: Redis) => {
  let now = new Set<string>()
  /** The lists of the seconds before, the oldest first. */
  let before: Set<string>[] = []
  let count = 0
  const look = async () => {
    before.push(now)
    now = new Set()
    if (before.length <= seconds) return
    const [oldest, ...newer] = before
    before = newer
    const due = [...(oldest ?? [])].filter((list) => !newer.some((lists) => lists.has(list)))
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
      if (now.size < most) now.add(list)
    },
    close: () => clearInterval(timer),
  }
}
