import { createHash } from 'node:crypto'
import type { Core } from '../../../core/index.ts'
import type { FinalizedOrder, PendingOrder } from '../../../lib/acme/order.ts'
import { isRecord } from '../../../lib/acme/problem.ts'

const name = 'orders'
/** At most so many are kept, the oldest given up first. */
const most = 200
/** Milliseconds; what a CA has not issued by then it is asked for anew. */
const longest = 86_400_000
/** One that cannot be fetched is given up after so many tries, and at the first one that is an hour after its first failure. */
const mostFailures = 10
const failsFor = 3_600_000

interface Kept extends FinalizedOrder {
  readonly id: string
  /** When it was finalized, in ms since 1970. */
  readonly at: number
  /** Tries in a row that told nothing of it. */
  readonly failures?: number
  /** When the first of them was, in ms since 1970. */
  readonly failsSince?: number
}
export interface PendingOrders {
  /** When the order for these names was finalized, in ms since 1970; `undefined` where none is under way. */
  since(directory: string, names: readonly string[]): number | undefined
  of(directory: string, names: readonly string[]): PendingOrder
}

/** Orders between their finalization and the download of their certificate, kept over restarts with their keys. */
export const pendingOrders = ({ state }: Pick<Core, 'state'>): PendingOrders => {
  let orders = read(state.get(name))
  const find = (id: string) => orders.find((each) => each.id === id && Math.abs(Date.now() - each.at) < longest)
  const keep = async (id: string, order?: Omit<Kept, 'id'>) => {
    const others = orders.filter((each) => each.id !== id && Math.abs(Date.now() - each.at) < longest)
    if (!order && others.length === orders.length) return
    orders = [...others, ...(order ? [{ ...order, id }] : [])].slice(-most)
    // What cannot be written now is lost by a restart alone.
    await state.set(name, orders.length > 0 ? Buffer.from(JSON.stringify(orders)) : null).catch(() => undefined)
  }
  return {
    since: (directory, names) => find(idOf(directory, names))?.at,
    of: (directory, names) => {
      const id = idOf(directory, names)
      return {
        saved: find(id),
        save: (order) => keep(id, { ...order, at: Date.now() }),
        clear: () => keep(id),
        failed: async () => {
          const order = find(id)
          if (!order) return true
          const { failures = 0, failsSince = Date.now() } = order
          const over = failures + 1 >= mostFailures || Math.abs(Date.now() - failsSince) >= failsFor
          await keep(id, over ? undefined : { ...order, failures: failures + 1, failsSince })
          return over
        },
        processing: async () => {
          const { failures, failsSince, ...order } = find(id) ?? {}
          if (failures !== undefined && isKept(order)) await keep(id, order)
        },
      }
    },
  }
}

const idOf = (directory: string, names: readonly string[]): string =>
  createHash('sha256')
    .update(`${directory} ${[...names].sort().join(' ')}`)
    .digest('base64url')

const read = (kept: Uint8Array | undefined): readonly Kept[] => {
  if (!kept) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(kept).toString())
    return Array.isArray(value) ? value.filter(isKept) : []
  } catch {
    return []
  }
}
const isKept = (value: unknown): value is Kept =>
  isRecord(value) &&
  typeof value.at === 'number' &&
  ['id', 'url', 'finalize', 'key', 'csr'].every((field) => typeof value[field] === 'string')
