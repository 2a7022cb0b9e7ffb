/**
 * Turns in queue order: `take` resolves once every earlier holder of any of these keys has given its turn back.
 * A turn waits for earlier ones only, so no order of keys can lock up. Costs O(keys), whatever waits.
 */
export const turns = () => {
  const tails = new Map<string, Promise<void>>()
  return {
    take(keys: Iterable<string>): { ready: Promise<unknown> | undefined; give: () => void } {
      const { promise, resolve } = Promise.withResolvers<void>()
      const mine = new Set(keys)
      const before: Promise<void>[] = []
      for (const key of mine) {
        const tail = tails.get(key)
        if (tail) before.push(tail)
        tails.set(key, promise)
      }
      const give = () => {
        for (const key of mine) if (tails.get(key) === promise) tails.delete(key)
        resolve()
      }
      return { ready: before.length ? Promise.all(before) : undefined, give }
    },
  }
}
