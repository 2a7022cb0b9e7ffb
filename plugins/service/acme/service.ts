import { type Acme, type AcmeOrder, type Certificate, type Core, GatewayError, type NodeFacts } from '../../../core/index.ts'
import type { Issued } from '../../../lib/acme/order.ts'
import { shown } from '../../../lib/shown.ts'
import { type Ca, openCa } from './authority.ts'
import { failing } from './failing.ts'
import { inFlight } from './in-flight.ts'
import { limitsFor, ordersOf, type Rules, rulesOf } from './limits.ts'
import type { Settings } from './options.ts'
import { pendingOrders } from './pending-orders.ts'
import { preflight } from './preflight.ts'
import { again, orderQueue } from './queue.ts'
import { clockWatch } from './skew.ts'
import { keptBudget } from './used.ts'

type Made = Issued & { readonly warning?: GatewayError }
interface Running {
  readonly api: { readonly acme: Acme }
  reloaded(): void
  close(): Promise<void>
}

/** For one order, once it is its turn. */
const orderLimit = 600_000
/** So long the other CAs are not asked for what one is still processing. */
const overdue = 3_600_000
/** What a CA counts against the account. */
const counted: readonly string[] = ['CHALLENGE_FAILED', 'CA_REFUSED', 'NAME_BLOCKED', 'CAA_FORBIDS']
/** What another CA may take otherwise; the rest is ours to mend, whichever is asked. */
const ofCa: readonly string[] = [...counted, 'CA_UNREACHABLE', 'CA_LIMIT', 'EAB_INVALID', 'ACCOUNT_DEACTIVATED', 'CERT_INVALID']
/** What says nothing of the order: the CA takes none, and it is charged to nobody. */
const ofAccount: readonly string[] = ['ACCOUNT_DEACTIVATED', 'EAB_INVALID']

export const startAcme = (settings: Settings, core: Core & { node: NodeFacts | undefined }): Running => {
  const authorities = settings.authorities()
  const clock = clockWatch()
  const pending = pendingOrders(core)
  const failed = failing(core.routes)
  const cas = authorities.map((authority) => openCa(authority, pending, core, clock.seen))
  const checks = preflight(settings, core.node)
  const used = keptBudget(core)
  const down = new Map<Ca, GatewayError>()
  const flight = inFlight(used.left)

  const rules = (ca: Ca, order: AcmeOrder): Rules => rulesOf(ca.authority.directory, order, ca.authority.limited)
  /** What an order takes from at its end, for each CA. */
  const atEnd = (order: AcmeOrder) => cas.map((ca) => rules(ca, order)).map(({ own, failures }) => [...own, ...failures])
  /** Those under way may fail, and it would be one too many: they are waited for. What has no room anyway is told so. */
  const held = (order: AcmeOrder, now: number): boolean =>
    atEnd(order).some((all) => all.every((rule) => used.left(rule, now) > 0) && flight.fills(all, now))
  const report = () => {
    const limited = authorities.filter(({ limited }) => limited)
    const left = Object.fromEntries(
      limited.map(({ directory }) => [`orders left at ${new URL(directory).host}`, used.left(ordersOf(directory), Date.now())]),
    )
    const [away] = down.values()
    const wrong = clock.warning() ?? away
    const reason = wrong ? `${wrong.code}: ${wrong.message} (${wrong.fix})` : failed.summary()
    core.health(reason === undefined ? 'ok' : 'degraded', reason, {
      ca: authorities.map(({ directory }) => directory).join(' '),
      waiting: queue.waiting,
      ...left,
    })
  }
  /** One try with one CA, of which it is kept whether it answers. */
  const orderFrom = async (ca: Ca, order: AcmeOrder, signal: AbortSignal): Promise<Issued | typeof again> => {
    try {
      const made = await within(ca, order, signal)
      if (made !== again) down.delete(ca)
      return made
    } catch (error) {
      if (error instanceof GatewayError && (error.code === 'CA_UNREACHABLE' || ofAccount.includes(error.code)))
        down.set(ca, error)
      else if (error instanceof GatewayError && counted.includes(error.code)) down.delete(ca)
      report()
      throw error
    }
  }
  /** No CA is asked for what its limits or the DNS forbid. */
  const within = async (ca: Ca, order: AcmeOrder, signal: AbortSignal): Promise<Issued | typeof again> => {
    const { shared, own, failures } = rules(ca, order)
    // One that was finalized is gone on with: nothing is ordered.
    if (pending.since(ca.authority.directory, order.names) !== undefined) return ca.order(order, signal)
    const now = Date.now()
    const free = used.room([...own, ...failures], now)
    if (free > now) throw limit(ca, order, free)
    await checks.caa(
      order,
      () => ca.identities(signal),
      () => ca.accountUrl(signal),
      signal,
    )
    if (used.room(shared, Date.now()) > Date.now()) return again
    const taken = Date.now()
    used.take(shared, taken)
    used.changed()
    try {
      const issued = await ca.order(order, signal)
      used.take(own, Date.now())
      return issued
    } catch (error) {
      if (error instanceof GatewayError && counted.includes(error.code)) used.take(failures, Date.now())
      if (error instanceof GatewayError && ofAccount.includes(error.code)) used.giveBack(shared, taken)
      throw error
    }
  }
  const run = async (given: AcmeOrder, outer: AbortSignal): Promise<Made | typeof again> => {
    const checking = AbortSignal.any([outer, AbortSignal.timeout(orderLimit)])
    const begun = authorities.some(({ directory }) => pending.since(directory, given.names) !== undefined)
    if (!begun) await checks.here(given, checking)
    const order = await checks.located(given, checking)
    const errors: GatewayError[] = []
    for (const ca of cas) {
      // Another one has room; this one is waited for only where all are full, which the queue sees to.
      if (cas.length > 1 && used.room(rules(ca, order).shared, Date.now()) > Date.now()) continue
      // A time of its own for each, so that one that keeps everybody waiting leaves some for the next.
      const signal = AbortSignal.any([outer, AbortSignal.timeout(orderLimit)])
      try {
        const made = await orderFrom(ca, order, signal)
        const warning = clock.warning()
        return made === again || !warning ? made : { ...made, warning }
      } catch (error) {
        outer.throwIfAborted()
        const told = signal.aborted ? late() : error
        if (signal.aborted) down.set(ca, late())
        if (!(told instanceof GatewayError && (ofCa.includes(told.code) || isOverdue(ca, order, told)))) throw told
        errors.push(told)
      }
    }
    const [first, ...others] = errors
    if (!first) return again
    throw together(first, others)
  }
  /** The CA has been at work on it for so long that another one is asked too. */
  const isOverdue = (ca: Ca, { names }: AcmeOrder, { code }: GatewayError): boolean =>
    code === 'ORDER_PENDING' && Date.now() - (pending.since(ca.authority.directory, names) ?? Date.now()) > overdue
  const queue = orderQueue<Made>({
    parallel: settings.parallel,
    room: (order, now) =>
      held(order, now) ? Number.POSITIVE_INFINITY : Math.min(...cas.map((ca) => used.room(rules(ca, order).shared, now))),
    run: (order, signal) => flight.during(atEnd(order).flat(), () => run(order, signal)),
    changed: () => report(),
  })
  /** Nothing in a certificate says by which directory it came: each CA is asked until one knows it. */
  const issuer = async <T>(ask: (ca: Ca) => Promise<T | undefined>): Promise<T | undefined> => {
    const errors: unknown[] = []
    for (const ca of cas)
      try {
        const answer = await ask(ca)
        if (answer !== undefined) return answer
      } catch (error) {
        errors.push(error)
      }
    if (errors.length > 0) throw errors[0]
    return undefined
  }
  const obtain: Acme['obtain'] = async (order, signal) => {
    try {
      const made = await queue.add(order, signal)
      failed.issued(order.names)
      return made
    } catch (error) {
      if (error instanceof GatewayError && error.code !== 'ORDER_PENDING') failed.failed(order.names, error)
      throw error
    } finally {
      report()
    }
  }
  // Workloads that failed may be gone.
  const pruning = setInterval(report, 60_000)
  pruning.unref()
  report()
  return {
    api: {
      acme: {
        authorities,
        obtain,
        accounts: () => cas.map((ca) => ca.account()),
        newAccount: async (directory, signal) => {
          const ca = cas.find(({ authority }) => authority.directory === directory)
          if (!ca)
            throw new GatewayError(
              'NOT_FOUND',
              `there is no CA '${shown(directory)}' in the config`,
              `give one of ${authorities.map((each) => each.directory).join(', ')}`,
            )
          await ca.newAccount(signal)
          down.delete(ca)
          report()
          return ca.account()
        },
        budget: (names) => {
          const now = Date.now()
          const rules = authorities.flatMap(({ limited, directory }) => (limited ? limitsFor(directory, names) : []))
          return rules.map((rule) => {
            const [left, free] = [used.left(rule, now), used.room([rule], now)]
            return { limit: rule.limit, left, of: rule.most, ...(free > now && { again: new Date(free) }) }
          })
        },
        renewAt: ({ chain }: Certificate, signal) => issuer((ca) => ca.renewAt(chain, signal)),
        revoke: async ({ chain }: Certificate, signal) => {
          await issuer((ca) => ca.revoke(chain, signal).then(() => true))
        },
      },
    },
    reloaded() {
      for (const ca of cas) ca.forgetDirectory()
    },
    async close() {
      clearInterval(pruning)
      queue.close()
      for (const ca of cas) ca.close()
      await used.close()
    },
  }
}

const late = (): GatewayError =>
  new GatewayError(
    'CA_UNREACHABLE',
    `the order did not end within ${orderLimit / 60_000} minutes`,
    'look at the CA and at the DNS provider; it is tried again by itself',
  )

const limit = (ca: Ca, { names }: AcmeOrder, free: number): GatewayError => {
  const host = new URL(ca.authority.directory).host
  return new GatewayError(
    'CA_LIMIT',
    `${host} is not asked for ${names.join(', ')} before ${new Date(free).toISOString()}: its limits are reached, or its orders failed too often`,
    'mend what failed before, or wait',
    { retryAt: new Date(free) },
  )
}

/** The first one's error; where every CA names a time to come back, the soonest. */
const together = (first: GatewayError, others: readonly GatewayError[]): GatewayError => {
  if (others.length === 0) return first
  const all = [first, ...others]
  const times = all.flatMap(({ retryAt }) => (retryAt ? [retryAt.getTime()] : []))
  return new GatewayError(first.code, all.map(({ message }) => message).join('; '), first.fix, {
    cause: first,
    problems: all.flatMap(({ problems }) => problems),
    retryAt: times.length === all.length ? new Date(Math.min(...times)) : undefined,
  })
}
