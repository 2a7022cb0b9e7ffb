import type { Change, Route, WorkloadId } from '../../../core/index.ts'
import type { Documents, Feed } from './feed.ts'
import type { Leaving } from './leaving.ts'
import type { Liveness } from './liveness.ts'
import type { Metering } from './metering.ts'
import type { Publisher } from './publisher.ts'

interface Parts {
  readonly textOf: (route: Route) => string
  readonly metering: Metering
  readonly publisher: Publisher
  readonly feed: Feed
  readonly leaving: Leaving
  readonly liveness: Liveness
  readonly signal: AbortSignal
}

/** Seconds that a certificate may take until Traefik serves it; behind a Traefik that takes nothing, operations must not stand still. */
const patience = 15

/** A change of one workload, and whoever waits for it. */
interface Pending {
  readonly change: Change
  readonly signal: AbortSignal
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}
/** A put with its document, or a remove. */
type Writable = Pending & { readonly text?: string; readonly noted?: Promise<void> }

/**
 * Brings changes to the relay, to what feeds Traefik, and to those who are told when a route is live or gone. Changes that come together
 * are carried out together, and each is answered on its own: one that waits for Traefik or the relay holds up no other.
 */
export const changeApplier = (parts: Parts) => {
  const { textOf, metering, publisher, feed, leaving, liveness, signal: stop } = parts
  let arrived: Pending[] = []
  let writable: Writable[] = []
  let writing = false

  const begin = () => {
    const all = arrived
    arrived = []
    const ready: Writable[] = []
    for (const pending of all) {
      try {
        ready.push('put' in pending.change ? { ...pending, text: textOf(pending.change.put) } : pending)
      } catch (error) {
        pending.reject(error)
      }
    }
    const [relayed, others] = [ready.filter(passesThrough), ready.filter((one) => !passesThrough(one))]
    void enterRelay(relayed)
    const noted = metering.note(putsOf(others), signalOf(others))
    write(others.map((one) => ({ ...one, noted })))
  }

  /** Passed-through routes, which the relay has to know before Traefik sends it connections. Never rejects. */
  const enterRelay = async (relayed: readonly Writable[]) => {
    if (relayed.length === 0) return
    const refused = await metering.take(putsOf(relayed), signalOf(relayed))
    for (const one of relayed) if (refused.has(idOf(one))) one.reject(refused.get(idOf(one)))
    write(relayed.filter((one) => !refused.has(idOf(one))))
  }

  /** What comes while a write is under way goes into the next one. */
  const write = (more: readonly Writable[]) => {
    writable.push(...more)
    if (!writing) void writeAll()
  }
  const writeAll = async () => {
    writing = true
    while (writable.length > 0) {
      const batch = writable
      writable = []
      await writeBatch(batch)
    }
    writing = false
  }
  /** Returns when the changes are durable; each is answered when it is done. Never rejects. */
  const writeBatch = async (batch: readonly Writable[]) => {
    const puts = new Map(batch.flatMap((one) => (one.text === undefined ? [] : [[idOf(one), one.text] as const])))
    const gone = batch.filter(({ text }) => text === undefined).map(idOf)
    // First the number, for what is offered with it; what offers it runs a turn later.
    const generation = publisher.publish()
    try {
      const refused = await feed.change(puts, gone, generation, signalOf(batch))
      for (const one of batch) {
        const error = refused.get(idOf(one))
        if (error) one.reject(error)
        else answer(one, generation).then(one.resolve, one.reject)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  const answer = async ({ change, noted, signal }: Writable, generation: number): Promise<void> => {
    if ('put' in change) {
      leaving.stays(change.put.id)
      liveness.put(change.put, generation)
      return noted
    }
    const { remove } = change
    liveness.remove(remove.id)
    try {
      await publisher.served(generation, signal)
    } catch (error) {
      throw new Error('Traefik still serves it', { cause: error })
    }
    leaving.remove(remove)
  }

  return {
    /** Resolves when the change is durable, and a removed route served no more; rejects with why it is not. */
    apply: (change: Change, signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        // At the end of this turn of the event loop: what comes in the same turn goes along.
        if (arrived.length === 0) setImmediate(begin)
        arrived.push({ change, signal, resolve, reject })
      }),
    async install({ write, remove }: { readonly write: Documents; readonly remove: readonly string[] }): Promise<void> {
      if (write.size === 0 && remove.length === 0) return
      const generation = publisher.publish()
      for (const error of (await feed.change(write, remove, generation, stop)).values()) throw error
      await publisher.served(generation, AbortSignal.timeout(patience * 1_000)).catch(() => undefined)
      liveness.check()
    },
  }
}

const idOf = ({ change }: Pending): WorkloadId => ('put' in change ? change.put.id : change.remove.id)
const passesThrough = ({ change }: Pending): boolean => 'put' in change && change.put.tls.mode === 'passthrough'
const putsOf = (all: readonly Pending[]): readonly Route[] => all.flatMap(({ change }) => ('put' in change ? change.put : []))
/** That of the last, whose time ends last. */
const signalOf = (all: readonly Pending[]): AbortSignal => all.at(-1)?.signal ?? AbortSignal.timeout(0)
