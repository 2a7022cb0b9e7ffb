import { isOf, ofKind, type Running } from './boot.ts'
import { asGatewayError, GatewayError } from './errors.ts'
import type { Draft, Problem, Route, SetOp, Tls } from './operation.ts'
import type { Hooks } from './plugin.ts'

export interface Planned {
  readonly draft: Draft
  readonly tls: Tls | undefined
  /** The resolver that answered. */
  readonly owner: Running<'resolver'> | undefined
  readonly problems: readonly Problem[]
}

/** resolve, check and plan: everything about a Set that changes nothing. */
export const planner = (set: readonly Running[], ownerOf: (host: string) => string | undefined) => {
  const workloads = ofKind(set, 'workload')
  const policies = ofKind(set, 'policy')
  const resolvers = ofKind(set, 'resolver')
  const reaches = set.some((running) => isOf(running, 'reach'))
  const known = new Map<string, Tls>()

  const resolve = async (op: SetOp, signal: AbortSignal): Promise<Draft> => {
    for (const { hooks } of workloads) {
      const draft = resolveBy(hooks, op, signal)
      if (draft) return draft
    }
    throw op.do === 'set-fqdn'
      ? new GatewayError('FQDN_DISABLED', 'this gateway serves no FQDN workloads', 'add fqdnProxy() to the plugins')
      : new GatewayError('NAME_DISABLED', 'this gateway serves no name workloads', 'add nameProxy() to the plugins')
  }
  const tlsOf = (draft: Draft): Pick<Planned, 'tls' | 'owner'> => {
    for (const owner of resolvers) {
      const tls = owner.hooks.plan(draft)
      if (tls) return { tls: shared(known, tls, draft.host), owner }
    }
    return { tls: undefined, owner: undefined }
  }
  return {
    /** Rejects only where there is no draft to speak about. */
    async plan(op: SetOp, signal: AbortSignal): Promise<Planned> {
      const draft = Object.freeze(await resolve(op, signal))
      const found = await Promise.all(policies.map(({ hooks, plugin }) => check(hooks, plugin.name, draft, signal)))
      const planned = tlsOf(draft)
      const problems = found.flat()
      const holder = ownerOf(draft.host)
      if (holder !== undefined && holder !== draft.id) problems.push(taken(draft.host))
      if (draft.network !== undefined && !reaches) problems.push(noReach(draft.network))
      if (!planned.tls) problems.push(draft.passthrough ? noPassthrough : noResolver(draft.host))
      return { draft, ...planned, problems }
    },
    tlsOf,
  }
}
export type Planner = ReturnType<typeof planner>

/** A route in one shape whatever way it was made, so that equal ones compare and store alike. */
export const routeOf = (draft: Draft, tls: Tls, via?: readonly string[]): Route =>
  Object.freeze({
    id: draft.id,
    host: draft.host,
    ...(draft.zone !== undefined && { zone: draft.zone }),
    tenant: draft.tenant,
    backends: draft.backends,
    passthrough: draft.passthrough,
    ...(draft.network !== undefined && { network: draft.network }),
    tls,
    ...(via && { via }),
  })

/** Whether an engine can dial its backends: those in a private network by what bridges them, never by their own addresses. */
export const isReached = ({ network, via }: Route): boolean => network === undefined || via !== undefined

/** Whether both would serve the same: ids and bridged addresses aside. */
export const equal = (a: Route, b: Route): boolean =>
  a.host === b.host &&
  a.zone === b.zone &&
  a.tenant === b.tenant &&
  a.passthrough === b.passthrough &&
  a.network === b.network &&
  equalLists(a.backends, b.backends) &&
  equalTls(a.tls, b.tls)

export const equalTls = (a: Tls, b: Tls): boolean =>
  a === b ||
  (a.mode === 'passthrough' && b.mode === 'passthrough') ||
  (a.mode === 'terminate' &&
    b.mode === 'terminate' &&
    a.resolver === b.resolver &&
    a.challenge === b.challenge &&
    equalLists(a.names, b.names))
const equalLists = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((item, index) => item === b[index]))

export const taken = (host: string): Problem => ({
  code: 'DOMAIN_TAKEN',
  message: `domain already registered: ${host}`,
  fix: 'another workload serves this domain: delete it first, or use another domain',
})
const noReach = (network: string): Problem => ({
  code: 'NETWORK_UNSUPPORTED',
  message: `backends in the private network '${network}' cannot be reached from this gateway`,
  fix: 'add a plugin of kind reach, or leave network out',
})
const noPassthrough: Problem = {
  code: 'PASSTHROUGH_DISABLED',
  message: 'this gateway does not pass TLS through',
  fix: 'add tlsPassthrough() to the plugins, or set passthrough to false',
}
const noResolver = (host: string): Problem => ({
  code: 'NO_RESOLVER',
  message: `no resolver gives a certificate for ${host}`,
  fix: 'add a resolver such as localCa() to the plugins',
})

/** The one plugin that has a hook for the operation makes the draft. */
const resolveBy = (hooks: Hooks['workload'], op: SetOp, signal: AbortSignal): Draft | Promise<Draft> | undefined =>
  op.do === 'set-fqdn' ? hooks.resolve['set-fqdn']?.(op, signal) : hooks.resolve['set-name']?.(op, signal)

const check = async (hooks: Hooks['policy'], name: string, draft: Draft, signal: AbortSignal): Promise<readonly Problem[]> => {
  try {
    return await hooks.check(draft, signal)
  } catch (error) {
    const { code, message, fix } = asGatewayError(error)
    return [{ code, message: `${name}: ${message}`, fix }]
  }
}

/** One object for equal answers: a hundred thousand routes under one certificate hold one list of names. */
const shared = (known: Map<string, Tls>, tls: Tls, host: string): Tls => {
  const name = tls.mode === 'passthrough' ? '' : tls.names[0]
  // A certificate for the host alone is nobody else's, and the map must not grow with every host.
  if (name === undefined || name === host) return Object.freeze(tls)
  const first = known.get(name)
  if (first && equalTls(first, tls)) return first
  if (known.size < 1_000) known.set(name, tls)
  return Object.freeze(tls)
}
