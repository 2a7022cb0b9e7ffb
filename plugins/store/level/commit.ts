import { setImmediate as turn } from 'node:timers/promises'
import { GatewayError } from '../../../core/index.ts'
import type { Row } from './record.ts'

interface Waiting {
  readonly rows: readonly Row[]
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** One write at a time; what arrives meanwhile goes together into the next, in order of arrival. */
export const groupCommit = (write: (rows: readonly Row[]) => Promise<void>) => {
  let waiting: Waiting[] = []
  let running: Promise<void> | undefined
  let closed = false

  const run = async () => {
    await turn() // callers of the same turn of the event loop share the first write too
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      await write(group.flatMap(({ rows }) => rows)).then(
        () => group.forEach(({ done }) => void done()),
        (error: unknown) => group.forEach(({ failed }) => void failed(error)),
      )
    }
    running = undefined
  }

  return {
    add: (rows: readonly Row[]) =>
      new Promise<void>((done, failed) => {
        if (closed) throw new GatewayError('STOPPING', 'the store is closed', 'ask again when the gateway runs')
        if (rows.length === 0) return done()
        waiting.push({ rows, done, failed })
        running ??= run()
      }),
    /** Takes no more and returns when what was taken is written. */
    close: async () => {
      closed = true
      await running
    },
  }
}
