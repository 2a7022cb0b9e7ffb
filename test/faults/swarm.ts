/** How many clients of a kind attack: a few in the suite, more with `npm run swarm`. */
export const swarmSize = (few: number): number => Number(process.env.SWARM ?? few)

/** Does it so many times, some at once, so that the attackers' side stays within its own means. */
export const swarm = async <T>(count: number, attack: (at: number) => Promise<T>): Promise<T[]> => {
  const results: T[] = []
  const waiting = Array.from({ length: count }, (_, at) => at).values()
  const one = async () => {
    for (const at of waiting) results.push(await attack(at))
  }
  await Promise.all(Array.from({ length: 20 }, one))
  return results
}
