import type { Redis } from 'ioredis'
import { ready } from './broker.ts'
import { answer, run } from './scripts.ts'

export interface Letter {
  /** The request as it was taken. */
  readonly payload: Buffer
  /** The list that it goes to. */
  readonly to: string
  readonly answer: Buffer
  /** See the script `answer`. */
  readonly how: 'push' | 'once' | 'again' | 'drop' | 'dead'
  /** The request is off the list of taken ones. */
  readonly sent: () => void
}

export interface Outbox {
  add(letter: Letter): void
  /** Letters that are not known to have arrived. */
  readonly size: number
  /** Resolves when nothing is left, or `signal` aborts. */
  empty(signal: AbortSignal): Promise<void>
}

const batch = 128
const batchBytes = 4 << 20

/** Sends answers, those of one turn of the event loop together, each until Redis says that it has it. `say`: what keeps them from it, or that nothing does. */
export const createOutbox = (redis: Redis, taken: string, signal: AbortSignal, say: (trouble: unknown) => void): Outbox => {
  let waiting: Letter[] = []
  let flying = 0
  let planned = false
  let failing = false
  let emptied = () => {}

  const flush = () => {
    planned = false
    while (waiting.length > 0 && redis.status === 'ready') void send(waiting.splice(0, fitting(waiting)))
    if (waiting.length > 0) plan()
  }
  const plan = () => {
    if (planned || signal.aborted) return
    planned = true
    if (redis.status === 'ready') setImmediate(flush)
    else ready(redis, signal).then(flush, () => undefined)
  }
  const send = async (letters: readonly Letter[]) => {
    flying += letters.length
    try {
      const keys = [taken, ...letters.map(({ to }) => to)]
      const args = letters.flatMap(({ payload, answer, how }) => [payload, answer, how])
      await run(redis, answer, keys, args)
      if (failing) say(undefined)
      failing = false
      for (const letter of letters) letter.sent()
    } catch (error) {
      failing = true
      say(error)
      // It may have arrived: where the request is gone, so it has.
      waiting = [...letters.map((letter) => (letter.how === 'push' ? ({ ...letter, how: 'once' } as const) : letter)), ...waiting]
      if (redis.status === 'ready') setTimeout(plan, 100)
      else plan()
    } finally {
      flying -= letters.length
      if (flying === 0 && waiting.length === 0) emptied()
    }
  }
  return {
    add: (letter) => {
      waiting.push(letter)
      plan()
    },
    get size() {
      return waiting.length + flying
    },
    empty: async (until) => {
      if (waiting.length + flying === 0 || until.aborted) return
      await new Promise<void>((done) => {
        emptied = done
        until.addEventListener('abort', () => done(), { once: true })
      })
    },
  }
}

const fitting = (letters: readonly Letter[]): number => {
  let bytes = 0
  let count = 0
  for (const { payload, answer } of letters) {
    bytes += payload.length + answer.length
    if (count === batch || (count > 0 && bytes > batchBytes)) break
    count++
  }
  return count
}
