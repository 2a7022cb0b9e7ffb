import { vi } from 'vitest'

/**
 * Runs Date and what looks every five seconds or less often, as certificates are looked after, by a clock that a test may put forward;
 * it runs with the real one otherwise. What looks more often goes by the real one: in a simulated month it would look a million times.
 */
export const simulateClock = (): { forward(ms: number): void; end(): void } => {
  const { setInterval: real, clearInterval: endReal } = globalThis
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'], shouldAdvanceTime: true })
  const { setInterval: simulated, clearInterval: endSimulated } = globalThis
  const kept = new Set<unknown>()
  const start = (run: () => void, ms = 0) => {
    if (ms < 5_000) return real(run, ms)
    const timer = simulated(run, ms)
    kept.add(timer)
    return timer
  }
  vi.stubGlobal('setInterval', start)
  vi.stubGlobal('clearInterval', (timer: NodeJS.Timeout) => (kept.has(timer) ? endSimulated : endReal)(timer))
  return {
    forward: (ms) => void vi.advanceTimersByTime(ms),
    end: () => {
      vi.unstubAllGlobals()
      vi.useRealTimers()
    },
  }
}
