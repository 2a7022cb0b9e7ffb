import { ofKind, type Running } from './boot.ts'
import type { Certificates } from './certificates.ts'
import type { EngineQueue } from './engine-queue.ts'
import { reason } from './errors.ts'
import type { Event } from './event.ts'
import type { Route } from './operation.ts'
import { equalTls, isReached, type Planner, routeOf, taken } from './planner.ts'
import type { Storage } from './storage.ts'
import type { Table } from './table.ts'

interface Restored {
  readonly route: Route
  readonly owner: Running<'resolver'> | undefined
}

/**
 * Brings stored routes under the plugins of now: who ends TLS is asked again, private networks are bridged again, and the engine
 * gets the whole table. A route that no plugin can serve any more stays stored and is reported, not served; one whose private network
 * cannot be reached now is served once it is set again.
 */
export const restore = async (o: {
  stored: Iterable<Route>
  set: readonly Running[]
  planner: Planner
  routes: Table
  engine: EngineQueue
  certificates: Certificates
  store: Storage
  emit(event: Event): void
  signal: AbortSignal
}): Promise<void> => {
  const restored: Restored[] = []
  const all = [...o.stored]
  const bridged = await bridge(o, all)
  for (const stored of all) {
    const { tls, owner } = o.planner.tlsOf(stored)
    if (!tls) report(o.emit, stored, 'no resolver of the config takes it')
    else if (!o.routes.reserve(stored.host, stored.id)) report(o.emit, stored, taken(stored.host).message)
    else {
      const via = bridged.get(stored.id)
      const route = equalTls(tls, stored.tls) && !via ? stored : routeOf(stored, tls, via)
      o.routes.put(route)
      o.routes.free(stored.host, stored.id)
      restored.push({ route, owner })
    }
  }
  // What can be had at once is there before the first connection; the rest follows.
  const instant = new Map<unknown, Restored>()
  for (const one of restored)
    if (one.owner?.hooks.pace === 'instant' && one.route.tls.mode === 'terminate') instant.set(one.route.tls.names, one)
  const made = await Promise.all([...instant.values()].map(({ route, owner }) => o.certificates.prepare(route, owner)))
  // What cannot be written now is made again at the next start.
  if (made.some(({ length }) => length)) await o.store.commit(made.flat()).catch(() => undefined)
  for (const { route, owner } of restored) o.certificates.use(route, owner)
  await o.engine.install()
  await o.engine.engine?.restore([...o.routes.all()].filter(isReached))
}

/** Seconds that private networks have together: others are not to wait for theirs. */
const reachLimit = 20

/** What the engine dials, of each workload whose backends are in a private network. */
const bridge = async (
  o: { set: readonly Running[]; emit(event: Event): void; signal: AbortSignal },
  stored: readonly Route[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const found = new Map<string, readonly string[]>()
  const signal = AbortSignal.any([o.signal, AbortSignal.timeout(reachLimit * 1_000)])
  const one = async (route: Route) => {
    try {
      const via = await ofKind(o.set, 'reach')[0]?.hooks.reach(route, signal)
      if (via) return found.set(route.id, via)
      report(o.emit, route, 'no plugin of the config reaches its private network')
    } catch (error) {
      report(o.emit, route, reason(error))
    }
  }
  await Promise.all(stored.filter(({ network }) => network !== undefined).map(one))
  return found
}

const report = (emit: (event: Event) => void, route: Route, why: string): void =>
  emit({
    type: 'alarm',
    code: 'ENGINE_UNAVAILABLE',
    message: `workload ${route.id} (${route.host}) is stored but not served: ${why}`,
    fix: 'put the plugin back into the config, or delete the workload',
  })
