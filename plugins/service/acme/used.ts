import type { Core } from '../../../core/index.ts'
import { type Budget, budget } from '../../../lib/acme/budget.ts'
import { isRecord } from '../../../lib/acme/problem.ts'

const name = 'limits'
/** Writes at most once in so many ms: what a crash loses is less than what the CA's own count forgives. */
const every = 1_000

/** The budget as it was kept, and kept again when it changed. */
export const keptBudget = ({ state }: Pick<Core, 'state'>): Budget & { changed(): void; close(): Promise<void> } => {
  const own = budget(read(state.get(name)))
  let timer: NodeJS.Timeout | undefined
  const write = async () => {
    timer = undefined
    // What cannot be written now is written with the next change.
    await state.set(name, Buffer.from(JSON.stringify(own.used(Date.now())))).catch(() => undefined)
  }
  return {
    ...own,
    changed() {
      timer ??= setTimeout(write, every)
      timer.unref()
    },
    async close() {
      if (!timer) return
      clearTimeout(timer)
      await write()
    },
  }
}

const read = (kept: Uint8Array | undefined): Record<string, number[]> => {
  if (!kept) return {}
  try {
    const value: unknown = JSON.parse(Buffer.from(kept).toString())
    if (!isRecord(value)) return {}
    const lists = Object.entries(value).map(([key, list]): [string, number[]] => [
      key,
      Array.isArray(list) ? list.filter((at) => typeof at === 'number') : [],
    ])
    return Object.fromEntries(lists)
  } catch {
    return {}
  }
}
