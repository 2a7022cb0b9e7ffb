import { GatewayError } from './errors.ts'

export interface Deadline {
  readonly signal: AbortSignal
  /** Settles as `work` does, or rejects once the deadline is over; `work` itself goes on and is never left unhandled. */
  within<T>(work: Promise<T>): Promise<T>
  /** Throws what the deadline rejects with, if it is over. */
  check(): void
  end(): void
}

/** A deadline of `seconds` that also ends with `outer`. */
export const deadline = (seconds: number, what: string, outer?: AbortSignal): Deadline => {
  const controller = new AbortController()
  const began = performance.now()
  const over = (cause?: unknown) =>
    controller.abort(
      outer?.aborted
        ? new GatewayError('TIMEOUT', `${what} was called off by its caller`, 'nothing was changed; ask again', { cause })
        : new GatewayError(
            'TIMEOUT',
            `${what} did not end within ${seconds} s`,
            'nothing was changed; see what is slow in gateway status, then ask again',
          ),
    )
  const timer = setTimeout(over, seconds * 1000)
  const called = () => over(outer?.reason)
  outer?.addEventListener('abort', called, { once: true })
  if (outer?.aborted) called()
  const { signal } = controller
  return {
    signal,
    within: <T>(work: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const abort = () => reject(signal.reason)
        if (signal.aborted) abort()
        signal.addEventListener('abort', abort, { once: true })
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
      }),
    check: () => {
      // A busy event loop runs its timers late.
      if (performance.now() - began >= seconds * 1000) over()
      signal.throwIfAborted()
    },
    end: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', called)
    },
  }
}
