import { resolve } from 'node:path'
import { inTurn } from '../lib/one-by-one.ts'
import { backupLines, readKept } from './backup.ts'
import { boot, closeAll, drainEngines, inOrder, isOf, ofKind, type Running } from './boot.ts'
import { certificates } from './certificates.ts'
import { checkConfig, type GatewayConfig } from './config.ts'
import { dispatcher } from './dispatch.ts'
import { engineQueue } from './engine-queue.ts'
import { asGatewayError, GatewayError } from './errors.ts'
import { answer } from './fetch.ts'
import type { ReloadReport } from './gateway-interface.ts'
import { carrying, closeTheRest, type HandOver, serving, setUpAgain } from './hand-over.ts'
import { inherit } from './inherit.ts'
import { ledger } from './ledger.ts'
import { listeners } from './listeners.ts'
import { liveness } from './liveness.ts'
import { observer } from './observer.ts'
import { ownEndpoints } from './own-endpoints.ts'
import { reload } from './reload.ts'
import { restore } from './restore.ts'
import { openRoot } from './root.ts'
import type { CreateOptions, RunningGateway } from './running-gateway.ts'
import { services } from './services.ts'
import { stats } from './stats.ts'
import { statusOf } from './status.ts'
import { storage } from './storage.ts'
import { table } from './table.ts'

/** Starts a gateway in this process; several may run side by side, each with its own root. Rejects with a GatewayError, having closed what it opened. */
export const createGateway = async (config: GatewayConfig, options: CreateOptions = {}): Promise<RunningGateway> => {
  const checked = checkConfig(config)
  const order = inOrder(checked.plugins)
  const root = resolve(options.root ?? checked.root ?? '.gateway')
  await openRoot(root)

  const started = new Date()
  const log = options.log ?? (() => undefined)
  const stop = new AbortController()
  let phase: 'starting' | 'ready' | 'stopping' = 'starting'
  const routes = table()
  const counts = stats()
  const live = liveness()
  const events = observer({ log, live, set: () => set })
  const state = new Map<string, Uint8Array>()
  const sums = ledger((writes) => store.commit(writes))
  let set: readonly Running[] = []
  const kept = new Set<string>()
  let running = checked
  let handed = false
  const listening = listeners(options.sockets)
  const reloads = inTurn()
  const coreFor = services({
    root,
    log,
    routes,
    state,
    listen: listening.listen,
    emit: events.emit,
    // What a plugin keeps while another gateway has the store is the other one's to know.
    commit: async (writes) => (handed ? undefined : store.commit(writes)),
    ledger: sums,
    phase: () => phase,
    refresh: (plugin) => certs.refresh(plugin),
    keep: (path) => void kept.add(path),
    endpoints: ownEndpoints(listening.endpoints),
  })

  // The store and what it stands on come first: the rest starts from what it holds.
  const upToStore = order.slice(0, order.findIndex(({ kind }) => kind === 'store') + 1)
  set = await boot(upToStore, [], coreFor, checked.startTimeout)
  const stores = ofKind(set, 'store')
  const store = storage(stores[0]?.hooks, stop.signal)
  const engine = engineQueue(undefined, () => certs.all())
  const certs = certificates({
    commit: async (writes) => (writes.length ? store.commit(writes) : undefined),
    install: engine.install,
    issues: (tls) => engine.engine?.issues(tls) ?? false,
    resolver: (label) => ofKind(set, 'resolver').find(({ plugin }) => plugin.name === `resolver/${label}`),
    emit: events.own,
  })
  const operations = dispatcher({ routes, store, engine, certificates: certs, emit: events.own, live: live.next }, set)
  let closing: Promise<void> | undefined

  const shutDown = async () => {
    phase = 'stopping'
    await closeAll(set.filter((running) => isOf(running, 'transport'))).then(complain)
    await operations.idle()
    await drainEngines(set).then(complain)
    stop.abort()
    await certs.close()
    await events.close()
    await store.close()
    await closeAll(set).then(complain)
  }
  const complain = (errors: readonly Error[]) => {
    for (const error of errors) log('warn', error.message, { error })
  }
  const close = () => {
    closing ??= shutDown()
    return closing
  }

  const handOver = async (): Promise<HandOver> => {
    if (phase !== 'ready') throw new GatewayError('STOPPING', `the gateway is ${phase}`, 'ask again once it is ready')
    const stays = serving(set)
    phase = 'stopping'
    const carried = carrying()
    await certs.rest(true)
    await closeTheRest(set, stays, async () => {
      await operations.idle()
      await events.close()
      await store.close()
      sums.divert(carried.take)
      store.use(undefined)
      handed = true
    }).then(complain)
    return {
      async resume() {
        const again = await setUpAgain(inOrder(running.plugins), stays, coreFor, running.startTimeout)
        set = again.set
        const hooks = ofKind(set, 'store')[0]?.hooks
        store.use(hooks)
        handed = false
        for (const [key, value] of (await hooks?.load())?.state ?? []) state.set(key, value)
        sums.divert(undefined)
        events.open(state.get('core/seq'), (seq) => store.commit([{ state: 'core/seq', value: Buffer.from(String(seq)) }]))
        operations.use(set)
        operations.unhurried()
        certs.adopt(set)
        await certs.rest(false)
        phase = 'ready'
        for (const { hooks: transport } of ofKind(set, 'transport')) await transport.listen(gateway)
      },
      async leave(bytes) {
        carried.giveTo(bytes)
        await drainEngines(stays).then(complain)
        stop.abort()
        await certs.close()
        await closeAll(stays).then(complain)
      },
    }
  }

  const gateway: RunningGateway = {
    routes,
    async dispatch(op, options) {
      if (phase === 'stopping') throw new GatewayError('STOPPING', 'the gateway is stopping', 'ask again once it runs')
      const began = performance.now()
      const count = (outcome: string) => counts.add(op.do, outcome, (performance.now() - began) / 1000)
      try {
        const answer = await operations.dispatch(op, options)
        count('ok')
        return answer
      } catch (thrown) {
        const error = asGatewayError(thrown)
        count(error.code)
        if (error.code === 'INTERNAL') log('error', error.message, { error })
        events.failed(op, error)
        throw error
      }
    },
    plan: (op, signal) => operations.plan(op, signal),
    events: events.read,
    certificates: { list: certs.list, of: certs.of, renew: certs.renew, revoke: certs.revoke },
    stats: counts.read,
    status: () => statusOf({ phase, root, started, routes, pending: operations.pending, set, certificates: certs.list() }),
    reload: () => reloads(takeConfig),
    fetch: (request) => answer(set, request),
    close,
    backup: async () => {
      for (const { hooks } of ofKind(set, 'metrics')) await hooks.settle?.()
      const [files, stored] = await Promise.all([readKept(root, kept), store.still((hooks) => hooks.load())])
      return backupLines(stored, files)
    },
    reopenLogs: async () => ofKind(set, 'engine')[0]?.hooks.reopenLogs?.(),
    handOver,
    inheritBytes: (deltas) => sums.add(deltas),
  }

  const takeConfig = async (): Promise<ReloadReport> => {
    if (!options.source) throw new GatewayError('BAD_REQUEST', 'this gateway was not started from a config file', 'restart it')
    if (phase !== 'ready') throw new GatewayError('STOPPING', `the gateway is ${phase}`, 'ask again once it is ready')
    const next = checkConfig(await options.source())
    listening.hold()
    const done = await reload({
      set,
      next,
      coreFor,
      dispatcher: operations,
      engine,
      certificates: certs,
      routes,
      store,
      gateway,
      uncontested: listening.uncontested,
      freePortsBy: listening.freePortsBy,
    }).finally(listening.open)
    set = done.set
    running = next
    // Behind the answer: open connections of a replaced engine may take their time.
    void events.retire(done.retired).then(complain)
    events.own({ type: 'reloaded' })
    for (const { hooks } of ofKind(set, 'service')) hooks.reloaded?.()
    await gateway.reopenLogs().catch((error) => complain([error]))
    return done.report
  }

  try {
    const stored = await stores[0]?.hooks.load()
    for (const [key, value] of stored?.state ?? []) state.set(key, value)
    sums.load(stored?.bytes ?? new Map())
    certs.load(stored?.certificates ?? [])
    events.open(
      state.get('core/seq'),
      stores.length ? (seq) => store.commit([{ state: 'core/seq', value: Buffer.from(String(seq)) }]) : undefined,
    )
    set = [...set, ...(await boot(order.slice(upToStore.length), set, coreFor, checked.startTimeout))]
    engine.use(ofKind(set, 'engine')[0]?.hooks)
    operations.use(set)
    const before = stored?.routes ?? []
    const inherited = stores.length
      ? await inherit({
          set,
          stored: before,
          state,
          tlsOf: (draft) => operations.planner().tlsOf(draft).tls,
          commit: (writes) => store.commit(writes),
          emit: events.own,
          signal: stop.signal,
        })
      : []
    await restore({
      stored: [...before, ...inherited],
      set,
      planner: operations.planner(),
      routes,
      engine,
      certificates: certs,
      store,
      emit: events.own,
      signal: stop.signal,
    })
    phase = 'ready'
    for (const { hooks } of ofKind(set, 'transport')) await hooks.listen(gateway)
    await listening.uncontested(set)
    listening.open()
    return gateway
  } catch (error) {
    await close()
    throw error
  }
}
