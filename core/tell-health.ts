import type { Running } from './boot.ts'

type Told = Pick<Running['health'], 'state' | 'reason'>

const minute = 60_000
/** Changes of the state that are told at once within a minute. */
const atOnce = 10

/**
 * Tells how a plugin is when that changed: another state at once, another reason for the same state, which may hold a count, at most once
 * a minute. What came to be in between is told at the end of the minute, if it is still so.
 */
export const tellHealth = (health: Told, signal: AbortSignal, tell: (health: Told) => void): (() => void) => {
  let told: Told = { ...health }
  let begun = Number.NEGATIVE_INFINITY
  let changes = 0
  let timer: NodeJS.Timeout | undefined
  const say = () => {
    clearTimeout(timer)
    timer = undefined
    if (health.state === told.state && health.reason === told.reason) return
    if (performance.now() - begun >= minute) changes = 0
    if (changes++ === 0) begun = performance.now()
    told = { state: health.state, ...(health.reason !== undefined && { reason: health.reason }) }
    tell(told)
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return () => {
    const wait = begun + minute - performance.now()
    if (wait <= 0 || (health.state !== told.state && changes < atOnce)) say()
    else timer ??= setTimeout(say, wait).unref()
  }
}
