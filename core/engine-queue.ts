import { asGatewayError, GatewayError, reason } from './errors.ts'
import type { Certificate, Change, WorkloadId } from './operation.ts'
import type { Hooks } from './plugin.ts'

/** Seconds that an engine may take for one batch. */
const limit = 45

interface Waiting {
  readonly change: Change
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}
type Engine = Hooks['engine']

/** Calls of the engine one after another. Changes that arrive together go in one batch, certificates that change together in one install. */
export const engineQueue = (first: Engine | undefined, certificates: () => readonly Certificate[]) => {
  let engine = first
  let changes: Waiting[] = []
  let installs: PromiseWithResolvers<void>[] = []
  let running = false

  const run = async () => {
    while (installs.length || changes.length) {
      const [install, batch] = [installs, changes]
      installs = []
      changes = []
      if (install.length) await installNow(install)
      if (batch.length) await applyNow(batch)
    }
    running = false
  }
  const start = () => {
    if (running) return
    running = true
    // One turn of the microtask queue later, so that what one group commit set free comes along.
    queueMicrotask(run)
  }
  const installNow = async (waiting: PromiseWithResolvers<void>[]) => {
    try {
      await engine?.install(certificates())
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
  const applyNow = async (batch: Waiting[]) => {
    try {
      if (!engine)
        throw new GatewayError('ENGINE_UNAVAILABLE', 'the config has no engine plugin', 'add embedded() to the plugins')
      const refused = await engine.apply(
        batch.map(({ change }) => change),
        AbortSignal.timeout(limit * 1000),
      )
      for (const { change, resolve, reject } of batch) {
        const error = refused.get(idOf(change))
        if (error) reject(unavailable(error))
        else resolve()
      }
    } catch (error) {
      for (const { reject } of batch) reject(unavailable(error))
    }
  }
  return {
    /** Resolves when the engine has taken the change; rejects with ENGINE_UNAVAILABLE and the engine's own reason. */
    apply: (change: Change) =>
      new Promise<void>((resolve, reject) => {
        changes.push({ change, resolve, reject })
        start()
      }),
    /** Hands the engine the certificates as they are now. */
    install: () => {
      const done = Promise.withResolvers<void>()
      installs.push(done)
      start()
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

const idOf = (change: Change): WorkloadId => ('put' in change ? change.put.id : change.remove.id)
const unavailable = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? asGatewayError(error)
    : new GatewayError('ENGINE_UNAVAILABLE', `the engine did not take the change: ${reason(error)}`, 'see gateway status', {
        cause: error,
      })
