import { GatewayError, reason } from './errors.ts'
import type { Hooks, Write } from './plugin.ts'

/** Seconds between tries to put the store right after a failed write. */
const again = 1

/** The store with clear errors, and with undo: after a failure the earlier state is written until it stands. */
export const storage = (first: Hooks['store'] | undefined, signal: AbortSignal) => {
  let store = first
  const undone = new Map<string, Write>()
  let timer: NodeJS.Timeout | undefined

  const running = new Set<Promise<void>>()
  let held: Promise<void> | undefined

  const opened = (): Hooks['store'] => {
    if (store) return store
    throw new GatewayError('STORAGE', 'the config has no store plugin', 'add level() to the plugins')
  }
  const commit = async (writes: readonly Write[]): Promise<void> => {
    while (held) await held
    try {
      const writing = opened().commit(writes)
      running.add(writing)
      await writing.finally(() => running.delete(writing))
    } catch (error) {
      if (error instanceof GatewayError) throw error
      throw new GatewayError('STORAGE', `the store could not write: ${reason(error)}`, 'look at the disk of the root folder', {
        cause: error,
      })
    }
  }
  const repair = async () => {
    timer = undefined
    const writes = [...undone]
    try {
      await commit(writes.map(([, write]) => write))
      for (const [key, write] of writes) if (undone.get(key) === write) undone.delete(key)
    } catch {
      schedule()
    }
  }
  const schedule = () => {
    if (signal.aborted || timer || !undone.size) return
    timer = setTimeout(repair, again * 1000)
    timer.unref()
  }
  return {
    commit,
    /** Works on the store while nothing is written: what wants to be waits. */
    async still<T>(work: (store: Hooks['store']) => T | Promise<T>): Promise<T> {
      while (held) await held
      const over = Promise.withResolvers<void>()
      held = over.promise
      try {
        await Promise.allSettled(running)
        return await work(opened())
      } finally {
        held = undefined
        over.resolve()
      }
    },
    /** Writes go there from now on; undefined: nowhere. */
    use: (next: Hooks['store'] | undefined) => {
      store = next
    },
    /** A write for `key` is under way: what waited to be put right for it no longer counts. */
    supersede: (key: string) => undone.delete(key),
    /** Writes what holds for `key`, now or as soon as the store can. */
    async undo(key: string, write: Write) {
      if (!store) return
      undone.set(key, write)
      await repair()
    },
    /** The last try before the store closes. */
    async close() {
      clearTimeout(timer)
      if (undone.size) await commit([...undone.values()]).catch(() => undefined)
    },
  }
}
export type Storage = ReturnType<typeof storage>
