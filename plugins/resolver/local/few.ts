import { setImmediate } from 'node:timers/promises'

/** Runs at most `count` works at once, in the order of the calls, and lets the event loop breathe after each: many at once hold up nobody else. */
export const few = (count: number) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= count) await new Promise<void>((go) => waiting.push(go))
    else running++
    try {
      return await work()
    } finally {
      await setImmediate()
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
