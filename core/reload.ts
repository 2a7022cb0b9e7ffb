import { isDeepStrictEqual } from 'node:util'
import { boot, type CoreFor, closeAll, inOrder, ofKind, type Running } from './boot.ts'
import type { Certificates } from './certificates.ts'
import { type Checked, capabilitiesOf } from './config.ts'
import type { Dispatcher } from './dispatch.ts'
import type { EngineQueue } from './engine-queue.ts'
import { GatewayError } from './errors.ts'
import type { Gateway, ReloadReport } from './gateway-interface.ts'
import { equalTls, isReached, routeOf } from './planner.ts'
import type { Plugin } from './plugin.ts'
import type { Storage } from './storage.ts'
import type { Table } from './table.ts'

interface Reloaded {
  readonly set: readonly Running[]
  readonly retired: readonly Running[]
  readonly report: ReloadReport
}

/**
 * Puts a changed list of plugins in the place of the running one. Plugins that did not change keep running; the others are set up beside
 * the old ones first, so a list that fails changes nothing: its error is thrown and the old plugins run on. `retired` are the caller's to close.
 */
export const reload = async (o: {
  set: readonly Running[]
  next: Checked
  coreFor: CoreFor
  dispatcher: Dispatcher
  engine: EngineQueue
  certificates: Certificates
  routes: Table
  store: Storage
  gateway: Gateway
  /** Throws where plugins of the list want one address. */
  uncontested(set: readonly Running[]): Promise<void>
  freePortsBy(free: (() => Promise<void>) | undefined): void
}): Promise<Reloaded> => {
  const { set, dispatcher, engine, certificates } = o
  const order = inOrder(o.next.plugins)
  const kept = keep(set, order)
  const store = order.find(({ kind }) => kind === 'store')
  if (kept.get(store?.name ?? '') !== ofKind(set, 'store')[0])
    throw new GatewayError('CONFIG_INVALID', 'the store changed, which a reload cannot take', 'restart the gateway')

  const ports = portsOfReplaced(set, order)
  const resume = await dispatcher.pause()
  const fresh: Running[] = []
  o.freePortsBy(ports?.release)
  const use = (running: readonly Running[]) => {
    dispatcher.use(running)
    certificates.adopt(running)
    engine.use(ofKind(running, 'engine')[0]?.hooks)
  }
  try {
    fresh.push(
      ...(await boot(
        order.filter(({ name }) => !kept.has(name)),
        [...kept.values()],
        o.coreFor,
        o.next.startTimeout,
      )),
    )
    const byName = new Map([...kept.values(), ...fresh].map((running) => [running.plugin.name, running]))
    const next = order.flatMap(({ name }) => byName.get(name) ?? [])
    use(next)
    await replan(o)
    if (fresh.some(({ plugin }) => plugin.kind === 'engine')) {
      await engine.install()
      await ports?.release()
      await engine.engine?.restore([...o.routes.all()].filter(isReached))
    }
    for (const { hooks } of ofKind(fresh, 'transport')) await hooks.listen(o.gateway)
    await o.uncontested(next)
    return { set: next, retired: set.filter((running) => !next.includes(running)), report: reportOf(set, kept, order) }
  } catch (error) {
    use(set)
    await replan(o)
    await closeAll(fresh)
    await ports?.resume()
    throw error
  } finally {
    o.freePortsBy(undefined)
    resume()
  }
}

/** Of an engine in whose place another kind comes, which cannot have the ports before. Each is done once at most. */
const portsOfReplaced = (set: readonly Running[], order: readonly Plugin[]) => {
  const [old] = ofKind(set, 'engine')
  const next = order.find(({ kind }) => kind === 'engine')
  if (!old?.hooks.ports || !next || next.name === old.plugin.name) return undefined
  const { ports } = old.hooks
  let released: Promise<void> | undefined
  return {
    release: () => {
      released ??= (async () => ports.release())()
      return released
    },
    resume: async () => {
      if (released) await ports.resume()
    },
  }
}

/** The running plugins that are the same in the new list, with everything that they stand on. */
const keep = (set: readonly Running[], order: readonly Plugin[]): ReadonlyMap<string, Running> => {
  const kept = new Map<string, Running>()
  const providerIn = (plugins: readonly Plugin[], id: string) =>
    plugins.find((plugin) => capabilitiesOf(plugin.provides).some((one) => one.id === id))
  const before = set.map(({ plugin }) => plugin)
  for (const plugin of order) {
    const running = set.find((one) => one.plugin.name === plugin.name)
    if (!running || !same(running.plugin, plugin)) continue
    const stands = capabilitiesOf(plugin.needs).every(({ id }) => {
      const [old, now] = [providerIn(before, id), providerIn(order, id)]
      return old?.name === now?.name && (!now || kept.has(now.name))
    })
    if (stands) kept.set(plugin.name, running)
  }
  return kept
}
const same = (a: Plugin, b: Plugin): boolean => a === b || (a.options !== undefined && isDeepStrictEqual(a.options, b.options))

/** Asks the resolvers again for every route; where the answer is another one, the engine and the store follow. */
const replan = async ({ routes, dispatcher, engine, certificates, store }: Parameters<typeof reload>[0]): Promise<void> => {
  const planner = dispatcher.planner()
  for (const route of [...routes.all()]) {
    const { tls, owner } = planner.tlsOf(route)
    if (!tls || equalTls(tls, route.tls)) continue
    const changed = routeOf(route, tls, route.via)
    const writes = await certificates.prepare(changed, owner)
    await store.commit([{ put: changed }, ...writes])
    if (isReached(changed)) await engine.apply({ put: changed })
    routes.put(changed)
    certificates.use(changed, owner)
    certificates.drop(route)
  }
}

const reportOf = (set: readonly Running[], kept: ReadonlyMap<string, Running>, order: readonly Plugin[]): ReloadReport => {
  const before = new Set(set.map(({ plugin }) => plugin.name))
  const now = order.map(({ name }) => name)
  return {
    kept: now.filter((name) => kept.has(name)),
    replaced: now.filter((name) => before.has(name) && !kept.has(name)),
    added: now.filter((name) => !before.has(name)),
    removed: [...before].filter((name) => !now.includes(name)),
  }
}
