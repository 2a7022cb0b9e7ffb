import type { Redis } from 'ioredis'

const afterMs = 5_000
const chunk = 1_000
/** Answers of this many milliseconds are looked at together. */
const slice = 250

/** Counts answers that still lie where they were left 5 s later: their callers gave up. */
export const createUnfetched = (redis: Redis) => {
  let left: { at: number; lists: string[] }[] = []
  let count = 0
  const look = async () => {
    const due = left.filter(({ at }) => at + slice <= performance.now() - afterMs)
    if (due.length === 0 || redis.status !== 'ready') return
    left = left.slice(due.length)
    const lists = due.flatMap((each) => each.lists)
    for (let from = 0; from < lists.length; from += chunk) {
      // A connection that broke leaves them uncounted: nothing rests on the figure.
      const lying = await redis.exists(...lists.slice(from, from + chunk)).catch(() => 0)
      count += lying
    }
  }
  const timer = setInterval(look, 1_000).unref()
  return {
    get count() {
      return count
    },
    watch: (list: string) => {
      const now = performance.now()
      const last = left.at(-1)
      if (last && now - last.at < slice) last.lists.push(list)
      else if (left.length < 100) left.push({ at: now, lists: [list] })
    },
    close: () => clearInterval(timer),
  }
}
