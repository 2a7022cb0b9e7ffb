import type { AcmeOrder } from '../../../core/index.ts'
import { fairQueue } from '../../../lib/fair-queue.ts'

interface Waiting<T> {
  readonly order: AcmeOrder
  readonly resolve: (made: T) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal
  readonly leave: () => void
}
/** What a run comes back with when the room that it began with was gone before it was used. */
export const again = Symbol('again')

/** Runs orders, so many at once, tenants in turn, each when there is room for it. Nothing that waits holds up what could run. */
export const orderQueue = <T>(o: {
  readonly parallel: number
  /** When there is room for it: now, or the later time, in ms since 1970. */
  room(order: AcmeOrder, now: number): number
  run(order: AcmeOrder, signal: AbortSignal): Promise<T | typeof again>
  changed(): void
}) => {
  const queue = fairQueue<Waiting<T>>()
  let running = 0
  let timer: NodeJS.Timeout | undefined

  const pump = () => {
    clearTimeout(timer)
    while (running < o.parallel) {
      const now = Date.now()
      const next = queue.next(({ order }) => o.room(order, now) <= now)
      if (!next) break
      void start(next)
    }
    if (running < o.parallel && queue.size > 0) {
      const now = Date.now()
      const soonest = Math.min(...[...queue.heads()].map(({ order }) => o.room(order, now)))
      timer = setTimeout(pump, Math.min(Math.max(soonest - now, 10), 60_000))
      timer.unref()
    }
    o.changed()
  }
  const start = async (waiting: Waiting<T>) => {
    running++
    try {
      const made = await o.run(waiting.order, waiting.signal)
      if (made === again) queue.unshift(waiting.order.tenant, waiting)
      else {
        waiting.leave()
        waiting.resolve(made)
      }
    } catch (error) {
      waiting.leave()
      waiting.reject(error)
    } finally {
      running--
      pump()
    }
  }
  return {
    get waiting() {
      return queue.size
    },
    add: (order: AcmeOrder, signal: AbortSignal): Promise<T> =>
      new Promise((resolve, reject) => {
        const abort = () => {
          queue.remove(order.tenant, waiting)
          reject(signal.reason)
        }
        const waiting: Waiting<T> = { order, resolve, reject, signal, leave: () => signal.removeEventListener('abort', abort) }
        if (signal.aborted) return abort()
        signal.addEventListener('abort', abort, { once: true })
        queue.push(order.tenant, waiting)
        pump()
      }),
    close: () => clearTimeout(timer),
  }
}
