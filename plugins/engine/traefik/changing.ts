import type { Change, Route, WorkloadId } from '../../../core/index.ts'
import { sort } from './batch.ts'
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

/** Brings changes to whoever has to know: the relay, what feeds Traefik, and those who hear when a route is live or gone. */
export const changingBy = ({ textOf, metering, publisher, feed, leaving, liveness, signal: stop }: Parts) => ({
  async apply(changes: readonly Change[], signal: AbortSignal): Promise<Map<WorkloadId, Error>> {
    const { write, gone, puts, refused } = sort(changes, textOf)
    const noted = metering.note(puts, signal)
    for (const [id, error] of await metering.take(puts, signal)) {
      refused.set(id, error)
      write.delete(id)
    }
    // First the number, for what is offered with it; what offers it runs a turn later.
    const generation = publisher.publish()
    const names = gone.map(({ id }) => id)
    const untaken = await feed.change(write, names, generation, signal)
    for (const route of puts) {
      const error = untaken.get(route.id)
      if (error) refused.set(route.id, error)
      if (refused.has(route.id)) continue
      leaving.stays(route.id)
      liveness.put(route, generation)
    }
    await noted
    if (gone.length === 0) return refused
    for (const { id } of gone) liveness.remove(id)
    try {
      await publisher.served(generation, signal)
      for (const route of gone) leaving.remove(route)
    } catch (error) {
      for (const { id } of gone) refused.set(id, new Error('Traefik still serves it', { cause: error }))
    }
    return refused
  },
  async install({ write, remove }: { readonly write: Documents; readonly remove: readonly string[] }): Promise<void> {
    if (write.size === 0 && remove.length === 0) return
    const generation = publisher.publish()
    for (const error of (await feed.change(write, remove, generation, stop)).values()) throw error
    await publisher.served(generation, AbortSignal.timeout(patience * 1_000)).catch(() => undefined)
    liveness.check()
  },
})
