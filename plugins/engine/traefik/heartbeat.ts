import { setTimeout as wait } from 'node:timers/promises'
import { reason } from '../../../core/index.ts'

interface Parts {
  /** A question that Traefik answers in milliseconds where it answers at all. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>
  readonly running: () => boolean
  /** It fell silent, or answers again. */
  readonly changed: () => void
  readonly signal: AbortSignal
}

/** ms between two questions, and for an answer. */
const [every, limit] = [2_000, 2_000]
/** Questions in a row without an answer after which it is silent. */
const misses = 2

/** Asks a Traefik that runs whether it answers: one that is stopped or stuck keeps its ports open and says nothing. */
export const startHeartbeat = ({ ask, running, changed, signal }: Parts) => {
  let missed = 0
  let why: string | undefined
  const become = (next: string | undefined) => {
    const news = (next === undefined) !== (why === undefined)
    why = next
    if (news) changed()
  }
  const askOnce = async () => {
    try {
      await ask(AbortSignal.any([signal, AbortSignal.timeout(limit)]))
      missed = 0
    } catch (error) {
      // It ended meanwhile: its supervisor knows more.
      if (running()) missed++
      if (missed >= misses) become(`it answers nothing: ${reason(error)}`)
    }
    if (missed === 0) become(undefined)
  }
  const run = async () => {
    while (!signal.aborted) {
      if (running()) await askOnce()
      else {
        missed = 0
        become(undefined)
      }
      if (missed === 0) await wait(every, undefined, { signal, ref: false }).catch(() => undefined)
      else await wait(every / 10, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  void run()
  return {
    /** Why it is taken to answer nothing, where it does not. */
    silent: (): string | undefined => (running() ? why : undefined),
  }
}
