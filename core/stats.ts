import type { Stat } from './gateway-interface.ts'
import type { Operation } from './operation.ts'

/** Upper bounds in seconds: from a write in memory to a Set that ran into its deadline. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

interface Cell {
  readonly do: Operation['do']
  readonly outcome: string
  count: number
  seconds: number
  readonly hits: number[]
}

/** Counts operations by kind and outcome. */
export const stats = () => {
  const cells = new Map<string, Cell>()
  return {
    add(kind: Operation['do'], outcome: string, seconds: number) {
      const key = `${kind} ${outcome}`
      let cell = cells.get(key)
      if (!cell) {
        cell = { do: kind, outcome, count: 0, seconds: 0, hits: bounds.map(() => 0) }
        cells.set(key, cell)
      }
      cell.count++
      cell.seconds += seconds
      const index = bounds.findIndex((bound) => seconds <= bound)
      if (index >= 0) cell.hits[index] = (cell.hits[index] ?? 0) + 1
    },
    read: (): readonly Stat[] =>
      [...cells.values()].map(({ hits, ...cell }) => ({
        ...cell,
        buckets: bounds.map((le, index) => ({ le, count: hits.slice(0, index + 1).reduce((sum, hit) => sum + hit, 0) })),
      })),
  }
}
