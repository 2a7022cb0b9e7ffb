import { admission, heldBack } from './admission.ts'
import { ofKind, type Running } from './boot.ts'
import type { Certificates } from './certificates.ts'
import { type Deadline, deadline } from './deadline.ts'
import type { EngineQueue } from './engine-queue.ts'
import { GatewayError, reason, refused } from './errors.ts'
import type { Event } from './event.ts'
import type { DispatchOptions, Plan } from './gateway-interface.ts'
import { lanes } from './lanes.ts'
import type { Answers, Op, Operation, Route, SetOp, WorkloadId } from './operation.ts'
import { equal, isReached, type Planner, planner, routeOf, taken } from './planner.ts'
import type { Storage } from './storage.ts'
import type { Table } from './table.ts'

/** Seconds: Go callers wait a minute and panic when it is over. */
const deadlines: Readonly<Record<Operation['do'], number>> = { 'set-fqdn': 50, 'set-name': 50, delete: 50, metrics: 10 }

export interface Parts {
  readonly routes: Table
  readonly store: Storage
  readonly engine: EngineQueue
  readonly certificates: Certificates
  emit(event: Event): void
  /** The next `live` of this workload. */
  live(id: WorkloadId, signal: AbortSignal): Promise<void>
}
/** One operation under way. `live`: where its caller waits for that, when it is served. */
interface Run {
  readonly due: Deadline
  readonly options: DispatchOptions
  live: Promise<void> | undefined
}
type Carry = { readonly [K in Operation['do']]: (op: Op<K>, run: Run) => Promise<Answers[K]> }

/** Carries operations out, one direction: resolve, check, plan, reach, commit, apply, observe. */
export const dispatcher = (parts: Parts, first: readonly Running[]) => {
  const { routes, store, engine, certificates, emit } = parts
  const queue = lanes((id) => routes.get(id))
  let set = first
  let plans: Planner = planner(set, routes.owner)
  let admit = admission(set)
  let gate: Promise<void> | undefined
  const held = heldBack()
  /** Those that came, and those of them that run. */
  const all = new Set<Promise<unknown>>()
  const running = new Set<Promise<unknown>>()

  const put = async (op: SetOp, run: Run): Promise<Route> => {
    const { due } = run
    const { draft, tls, owner, problems } = await plans.plan(op, due.signal)
    const [problem, ...more] = problems
    if (problem) throw refused([problem, ...more])
    due.check()
    if (!tls) throw new GatewayError('NO_RESOLVER', `no resolver for ${draft.host}`, 'add a resolver to the plugins')
    const current = routes.get(op.id)
    const wanted = routeOf(draft, tls)
    if (current && equal(current, wanted) && isReached(current)) {
      emit({ type: 'confirmed', route: current })
      return current
    }
    if (!routes.reserve(draft.host, op.id)) throw refused([taken(draft.host)])
    try {
      return await make(wanted, current, owner, run)
    } finally {
      routes.free(draft.host, op.id)
    }
  }

  /** reach, commit, apply; whatever fails, the earlier state is back when it rejects. */
  const make = async (
    wanted: Route,
    current: Route | undefined,
    owner: Running<'resolver'> | undefined,
    run: Run,
  ): Promise<Route> => {
    const { due } = run
    const reach = ofKind(set, 'reach')[0]?.hooks
    const via = wanted.network === undefined ? undefined : await reach?.reach(wanted, due.signal)
    const route = via ? routeOf(wanted, wanted.tls, via) : wanted
    run.live = run.options.wait && parts.live(route.id, due.signal)
    // Whoever waits for it hears of it; where the Set itself fails, nobody does.
    run.live?.catch(() => undefined)
    try {
      const writes = await certificates.prepare(route, owner)
      due.check()
      store.supersede(route.id)
      await store.commit([{ put: route }, ...writes])
      due.check()
      await engine.apply({ put: route })
      if (due.signal.aborted) {
        await engine.apply(current && isReached(current) ? { put: current } : { remove: route })
        due.check()
      }
    } catch (error) {
      await store.undo(route.id, current ? { put: current } : { remove: route })
      await reach?.release(route.id, current?.via ?? [])
      throw error
    }
    routes.put(route)
    certificates.use(route, owner)
    if (current) certificates.drop(current)
    emit({ type: 'applied', route, ...(current && { previous: current }) })
    run.options.onApplied?.()
    if (current?.via) await reach?.release(route.id, via ?? [])
    return route
  }

  const remove = async ({ id }: Op<'delete'>, { due }: Run): Promise<undefined> => {
    const route = routes.get(id)
    if (!route) return
    due.check()
    try {
      store.supersede(id)
      await store.commit([{ remove: route }])
      await engine.apply({ remove: route })
    } catch (error) {
      await store.undo(id, { put: route })
      if (isReached(route)) await engine.apply({ put: route }).catch(() => undefined)
      throw error
    }
    routes.remove(id)
    certificates.drop(route)
    emit({ type: 'deleted', route })
    // Also of one that was taken over with a bridge of another gateway's.
    await ofKind(set, 'reach')[0]?.hooks.release(id, [])
  }

  const carry: Carry = {
    'set-fqdn': put,
    'set-name': put,
    delete: remove,
    metrics: async (_, { due }) => {
      const metrics = ofKind(set, 'metrics')[0]
      if (metrics) return metrics.hooks.report(due.signal)
      throw new GatewayError('METRICS_DISABLED', 'this gateway counts no traffic', 'add traffic() to the plugins')
    },
  }
  const inTurn = async <K extends Operation['do']>(op: Op<K>, run: Run): Promise<Answers[K]> => {
    const admitted = admit(op)
    try {
      if (admitted.ready) await run.due.within(held.until(admitted.ready))
      return await carryOut(op, run)
    } finally {
      admitted.end()
    }
  }
  const carryOut = async <K extends Operation['do']>(op: Op<K>, run: Run): Promise<Answers[K]> => {
    const { ready, give } = queue.take(op)
    try {
      if (ready) await ready
      if (gate) await gate
      run.due.check()
      const kind: K = op.do
      return await track(running, carry[kind](op, run))
    } finally {
      give()
    }
  }
  const track = async <T>(where: Set<Promise<unknown>>, work: Promise<T>): Promise<T> => {
    where.add(work)
    try {
      return await work
    } finally {
      where.delete(work)
    }
  }

  const served = async (route: Route, { live, due }: Run): Promise<void> => {
    const ready = () => certificates.ready(route, due.signal)
    try {
      // No engine serves it before its certificate is there, and one that fails is told at once.
      await Promise.all([live, ready()])
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'CERT_PENDING') throw error
      if (due.signal.aborted) await ready()
      const why = due.signal.aborted ? 'not in time' : reason(error)
      throw new GatewayError('ENGINE_UNAVAILABLE', `${route.host} is set but not served yet: ${why}`, 'see gateway status', {
        cause: error,
      })
    }
  }

  return {
    async dispatch<K extends Operation['do']>(op: Op<K>, options: DispatchOptions = {}): Promise<Answers[K]> {
      const due = deadline(Math.min(options.deadline ?? Number.POSITIVE_INFINITY, deadlines[op.do]), op.do, options.signal)
      const run: Run = { due, options, live: undefined }
      try {
        const answer = await due.within(track(all, inTurn(op, run)))
        // Behind the turn: what comes next for the workload need not wait for a certificate.
        if (options.wait && answer && 'tls' in answer) await served(answer, run)
        return answer
      } finally {
        due.end()
      }
    },
    async plan(op: SetOp, outer?: AbortSignal): Promise<Plan> {
      const due = deadline(deadlines[op.do], 'plan', outer)
      const current = routes.get(op.id)
      const here = current ? { current } : {}
      try {
        const { draft, tls, problems } = await due.within(plans.plan(op, due.signal))
        return { ...here, ...(tls && problems.length === 0 && { route: routeOf(draft, tls) }), problems }
      } catch (error) {
        if (error instanceof GatewayError) return { ...here, problems: error.problems }
        throw new GatewayError('INTERNAL', `the plan failed: ${reason(error)}`, 'see the log of the gateway', { cause: error })
      } finally {
        due.end()
      }
    },
    /** Operations that came and are not answered. */
    get pending() {
      return all.size
    },
    planner: () => plans,
    /** Resolves when every operation that came is answered; nobody is held back any more. */
    async idle() {
      held.letAllIn()
      while (all.size) await Promise.allSettled(all)
    },
    /** Who comes may be held back again. */
    unhurried: held.holdAgain,
    /** Resolves when no operation runs; those that wait go on waiting until `resume`. */
    async pause(): Promise<() => void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      while (running.size) await Promise.allSettled(running)
      return () => {
        gate = undefined
        resolve()
      }
    },
    use(next: readonly Running[]) {
      set = next
      plans = planner(set, routes.owner)
      admit = admission(set)
    },
  }
}
export type Dispatcher = ReturnType<typeof dispatcher>
