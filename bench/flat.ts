import { join } from 'node:path'
import { startBackend } from './parts/backend.ts'
import { api } from './parts/client.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { load } from './parts/load.ts'
import { count, digits, slope } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'

const batches = 20
type Point = readonly [done: number, bytes: number]
interface Course {
  readonly resident: readonly Point[]
  readonly heap: readonly Point[]
}

/** Memory over very many requests, then over very many Sets and Deletes: sampled after a full collection. */
export const measure = async ({ scale, say }: Options): Promise<Figure> => {
  const requests = Math.round(10_000_000 * scale)
  const cycles = Math.round(100_000 * scale)
  const backend = await startBackend(say)
  const root = await seededRoot(1_000, backend.url, say)
  const gateway = await startGateway({ root: root.path, durability: 'process', say })
  try {
    const url = `https://w0.${domain}:${gateway.https}/64`
    const { perSecond } = await load(url, 3)
    const seconds = Math.max(1, Math.round(requests / batches / perSecond))
    const served = await course(gateway, say, requests, async () => (await load(url, seconds)).requests)
    const calls = api(join(gateway.root, 'gateway.sock'), 16)
    let next = 0
    const changed = await course(gateway, say, cycles, async () => {
      const end = next + Math.ceil(cycles / batches)
      const worker = async () => {
        while (next < end) {
          const n = next++
          await calls.set(`43-${n}-bench`, `f${n}`, backend.url)
          await calls.delete(`43-${n}-bench`)
        }
      }
      const before = next
      await Promise.all(Array.from({ length: 16 }, worker))
      return next - before
    })
    calls.close()
    return report(served, changed)
  } finally {
    await gateway.stop()
    await backend.stop()
    await root.remove()
  }
}

/** Samples before and after every batch, until `total` is done. */
const course = async (
  gateway: GatewayProcess,
  say: (line: string) => void,
  total: number,
  batch: () => Promise<number>,
): Promise<Course> => {
  const resident: Point[] = []
  const heap: Point[] = []
  for (let done = 0; ; ) {
    const now = await gateway.memory()
    resident.push([done, now.resident])
    heap.push([done, now.heap])
    if (done >= total) return { resident, heap }
    say(`${count(done)} of ${count(total)}: RSS ${digits(now.resident / 1e6)} MB, heap ${digits(now.heap / 1e6)} MB`)
    done += await batch()
  }
}

const report = (served: Course, changed: Course): Figure => {
  /** Growth in percent over the second half, by its slope: the first half fills pools and compiles code. */
  const growth = (points: readonly Point[]) => {
    const half = points.slice(Math.floor(points.length / 2))
    const span = (half.at(-1)?.[0] ?? 0) - (half[0]?.[0] ?? 0)
    return ((slope(half) * span) / (half[0]?.[1] ?? Number.NaN)) * 100
  }
  const row = (what: string, points: readonly Point[]) => {
    const at = (index: number) => `${digits((points.at(index)?.[1] ?? Number.NaN) / 1e6)} MB`
    return [what, count(points.at(-1)?.[0] ?? 0), at(0), at(Math.floor(points.length / 2)), at(-1), `${digits(growth(points))} %`]
  }
  return {
    title: 'Memory over time',
    columns: ['what', 'how many', 'first', 'half way', 'last', 'growth in the second half'],
    rows: [
      row('RSS, requests', served.resident),
      row('heap, requests', served.heap),
      row('RSS, Set and Delete', changed.resident),
      row('heap, Set and Delete', changed.heap),
    ],
    targets: [
      { what: 'growth of RSS over the second half of the requests', value: growth(served.resident), most: 5, unit: '%' },
      { what: 'growth of RSS over the second half of the changes', value: growth(changed.resident), most: 5, unit: '%' },
    ],
    notes: [
      'Samples after full collections, between batches. HTTPS, 64 bytes, 64 connections; then Set and Delete of new names, 16 at once.',
    ],
  }
}
