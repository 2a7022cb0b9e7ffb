import { asGatewayError, GatewayError, reason } from './errors.ts'
import type { Certificate, Change } from './operation.ts'
import type { Hooks } from './plugin.ts'
import { turns } from './turns.ts'

/** Seconds that an engine may take for one change. */
const limit = 45

type Engine = Hooks['engine']

/**
 * Calls of the engine. Changes of different workloads and hosts overlap, so that one which the engine does not take holds up nobody
 * else; those of one workload or host run in order. Certificates that change together go in one install, one install after another.
 */
export const engineQueue = (first: Engine | undefined, certificates: () => readonly Certificate[]) => {
  let engine = first
  const order = turns()
  const deadline = sharedDeadline(limit)
  let installs: PromiseWithResolvers<void>[] = []
  let installing = false

  const applyNow = async (change: Change) => {
    if (!engine) throw new GatewayError('ENGINE_UNAVAILABLE', 'the config has no engine plugin', 'add embedded() to the plugins')
    await engine.apply(change, deadline())
  }
  const installAll = async () => {
    while (installs.length) {
      const waiting = installs
      installs = []
      try {
        await engine?.install(certificates())
        for (const { resolve } of waiting) resolve()
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    }
    installing = false
  }
  return {
    /** Resolves when the engine has taken the change; rejects with ENGINE_UNAVAILABLE and the engine's own reason. */
    async apply(change: Change): Promise<void> {
      const { id, host } = 'put' in change ? change.put : change.remove
      const { ready, give } = order.take([`id ${id}`, `host ${host}`])
      try {
        if (ready) await ready
        await applyNow(change)
      } catch (error) {
        throw unavailable(error)
      } finally {
        give()
      }
    },
    /** Hands the engine the certificates as they are now. */
    install: () => {
      const done = Promise.withResolvers<void>()
      installs.push(done)
      if (!installing) {
        installing = true
        // One turn of the microtask queue later, so that what changes together comes along.
        queueMicrotask(installAll)
      }
      return done.promise
    },
    use: (next: Engine | undefined) => {
      engine = next
    },
    get engine() {
      return engine
    },
  }
}
export type EngineQueue = ReturnType<typeof engineQueue>

/** One timer for all that begins in the same turn of the event loop. */
const sharedDeadline = (seconds: number) => {
  let shared: AbortSignal | undefined
  return (): AbortSignal => {
    if (!shared) {
      shared = AbortSignal.timeout(seconds * 1_000)
      setImmediate(() => {
        shared = undefined
      })
    }
    return shared
  }
}

const unavailable = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? asGatewayError(error)
    : new GatewayError('ENGINE_UNAVAILABLE', `the engine did not take the change: ${reason(error)}`, 'see gateway status', {
        cause: error,
      })
