import { asGatewayError, errorCodes } from '../core/errors.ts'
import type { CreateOptions } from '../core/running-gateway.ts'
import { explainLoadError } from './explain-load-error.ts'

type Write = NonNullable<CreateOptions['log']>

/**
 * What nobody caught: a throw in a timer, a promise that nobody awaits. During the start it is the start's error; later, what a
 * config file left running is only told, so that a reload cannot end a gateway; anything else ends the process with 70.
 */
export const onFaults = (log: Write) => {
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  let phase: 'config' | 'start' | 'up' = 'config'
  let config: string | undefined

  process.on('uncaughtException', (thrown: unknown) => {
    const ofConfig = config !== undefined && (phase === 'config' || isOfConfig(thrown))
    const error = ofConfig ? explainLoadError(thrown, config ?? '') : asGatewayError(thrown)
    if (phase !== 'up') return failed.reject(error)
    const stack = thrown instanceof Error ? thrown.stack : undefined
    log('error', error.text, { ...(stack && { stack }) })
    if (!ofConfig) process.exit(errorCodes.INTERNAL.exit)
  })
  return {
    /** Settles as `work` does, or rejects with what nobody caught meanwhile. */
    within: <T>(work: Promise<T>): Promise<T> => Promise.race([work, failed.promise]),
    /** The config file is read next. */
    reading(file: string | undefined) {
      config = file
    },
    /** The config is there, the plugins start next. */
    starting() {
      phase = 'start'
    },
    up() {
      phase = 'up'
    },
  }
}

const isOfConfig = (thrown: unknown): boolean => thrown instanceof Error && /\?load=\d+:\d+/.test(thrown.stack ?? '')
