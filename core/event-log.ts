import type { Event, Logged } from './event.ts'

/** How many numbers are taken from the store at once: after a crash the log goes on above all that could have been used. */
const block = 1_000_000

export interface EventLog {
  emit(event: Event): void
  /** All kept events after `since` (default: only new ones), then new ones as they come, until `signal`. */
  read(since?: number, signal?: AbortSignal): AsyncGenerator<Logged>
  close(): Promise<void>
}

/**
 * The last `keep` events, numbered upwards over restarts. `first` is the number that the store had, `reserve` makes a later one durable.
 */
export const eventLog = (o: {
  first: number
  keep?: number
  reserve: (seq: number) => Promise<void>
  failed: (error: unknown) => void
}): EventLog => {
  const keep = o.keep ?? 10_000
  const ring: Logged[] = []
  let start = 0
  let seq = o.first
  let reserved = o.first
  let closed = false
  let waiting = new Set<() => void>()

  const reserve = (to: number) => {
    reserved = to
    o.reserve(to).catch(o.failed)
  }
  const at = (index: number) => ring[(start + index) % keep]
  const wake = () => {
    const readers = waiting
    waiting = new Set()
    for (const resume of readers) resume()
  }
  const next = (signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      const resume = () => {
        waiting.delete(resume)
        signal?.removeEventListener('abort', resume)
        resolve()
      }
      waiting.add(resume)
      signal?.addEventListener('abort', resume, { once: true })
    })

  return {
    emit(event) {
      if (seq + 1 > reserved - block / 2) reserve(seq + block)
      const logged: Logged = Object.freeze({ ...event, seq: ++seq, at: new Date() })
      if (ring.length < keep) ring.push(logged)
      else {
        ring[start] = logged
        start = (start + 1) % keep
      }
      if (waiting.size) wake()
    },
    async *read(since = seq, signal) {
      let read = since > seq ? -1 : since
      const oldest = () => at(0)?.seq ?? seq + 1
      while (!signal?.aborted && !closed) {
        // Asked for too far back, for what never was, or overtaken while the reader did something else.
        if (read < oldest() - 1) {
          read = oldest() - 1
          yield { type: 'gap', seq: read, at: new Date() }
          continue
        }
        const ahead = read + 1 - oldest()
        const event = ring.length > ahead ? at(ahead) : undefined
        if (event) {
          read = event.seq
          yield event
        } else await next(signal)
      }
    },
    async close() {
      closed = true
      wake()
      await o.reserve(seq).catch(o.failed)
    },
  }
}
