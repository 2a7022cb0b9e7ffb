import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Neighbours, type NodeFacts, type PublicConfig, reason } from '../../../core/index.ts'
import { readPublicConfig, saysNone } from '../../../lib/zbus/public-config.ts'
import { unavailable } from './neighbours.ts'

interface Asking {
  readonly neighbours: Neighbours
  /** Milliseconds for one answer, and between looks for a change. */
  readonly timeout: number
  readonly refresh: number
  readonly signal: AbortSignal
  /** Of each answer; of each that did not come; of each that differs from the one before, and of the first. */
  found(config: PublicConfig | undefined): void
  failed(why: string): void
  changed(config: PublicConfig | undefined): void
  /** Behind each look in the background that got an answer. */
  looked(config: PublicConfig | undefined): void
}
interface Known {
  readonly config: PublicConfig | undefined
  /** On the clock of `performance.now`. */
  readonly at: number
}

/** Milliseconds for which a public config serves the other questions of the same Set. */
const fresh = 1_000

/** What networkd says, asked anew by each Set and looked at in the background. */
export const nodeFacts = ({ neighbours, timeout, refresh, signal, ...tell }: Asking): { readonly api: NodeFacts } => {
  const watchers = new Set<(config: PublicConfig | undefined) => void>()
  let known: Known | undefined
  let asking: Promise<PublicConfig | undefined> | undefined

  const learn = (config: PublicConfig | undefined) => {
    const before = known
    known = { config, at: performance.now() }
    tell.found(config)
    if (before && isDeepStrictEqual(before.config, config)) return config
    tell.changed(config)
    for (const watcher of watchers) watcher(config)
    return config
  }
  const ask = async () => {
    try {
      const answer = await neighbours.call('network', 'network@0.0.1', 'GetPublicConfig', [], { signal, timeout })
      if (!('refused' in answer)) return learn(read(answer.value))
      if (saysNone(answer.refused)) return learn(undefined)
      throw unavailable('network', 'GetPublicConfig', answer.refused)
    } catch (error) {
      signal.throwIfAborted()
      tell.failed(known ? `${reason(error)}; what it said before holds` : reason(error))
      if (known) return known.config
      throw error
    } finally {
      asking = undefined
    }
  }
  const look = async () => {
    while (!signal.aborted) {
      asking ??= ask()
      await asking.then(tell.looked, () => undefined)
      await wait(refresh, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  void look()

  return {
    api: {
      async publicConfig(outer) {
        if (known?.config && performance.now() - known.at < fresh) return known.config
        asking ??= ask()
        return unless(outer, asking)
      },
      watch(changed) {
        watchers.add(changed)
        return () => void watchers.delete(changed)
      },
    },
  }
}

const read = (value: unknown): PublicConfig => {
  const config = readPublicConfig(value)
  if (typeof config === 'string') throw unavailable('network', 'GetPublicConfig', config)
  return config
}

/** The answer, unless the one who waits for it gives up; others may go on waiting. */
const unless = async <T>(signal: AbortSignal, answer: Promise<T>): Promise<T> => {
  signal.throwIfAborted()
  const gone = Promise.withResolvers<never>()
  const leave = () => gone.reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([answer, gone.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
