import { type Backend, formatBackend, parseBackend } from '../lib/backend.ts'
import { canonicalHost, canonicalLabel } from '../lib/host.ts'
import { shown } from '../lib/shown.ts'
import { isObjectMember, isWorkloadId, tenantOf, twinOf } from '../lib/workload-id.ts'
import { type ErrorCode, GatewayError, refused } from './errors.ts'
import type { Draft, Operation, Problem, Wanted, WorkloadId } from './operation.ts'

/** The most backends that one workload may have. */
export const maxBackends = 64
const maxReported = 8

/**
 * Makes what a transport received an operation, or throws one GatewayError that names all that is wrong with it.
 *
 * `{ do: 'set-fqdn', id, fqdn, backends, passthrough?, network? }`, `{ do: 'set-name', id, name, ... }`, `{ do: 'delete', id }` or
 * `{ do: 'metrics' }`. Null is as absent; keys that it does not know are left out. Host, name and backends come back in their
 * canonical forms, backends that dial the same twice only once, and the whole is frozen.
 */
export const parseOperation = (input: unknown): Operation => {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw refused([badType('the operation', 'an object', input)])
  const fields = read(input as Record<string, unknown>)
  const kind = fields.value('do')
  switch (kind) {
    case 'set-fqdn': {
      const wanted = fields.wanted()
      const fqdn = fields.host()
      return fields.done({ do: kind, fqdn, ...wanted })
    }
    case 'set-name': {
      const wanted = fields.wanted()
      const name = fields.label()
      return fields.done({ do: kind, name, ...wanted })
    }
    case 'delete':
      return fields.done({ do: kind, id: fields.id() })
    case 'metrics':
      return fields.done({ do: kind })
  }
  const fix = 'ask for set-fqdn, set-name, delete or metrics'
  if (typeof kind !== 'string') throw refused([badType('do', 'a string', kind)])
  throw new GatewayError('BAD_REQUEST', `there is no operation '${shown(kind)}'`, fix)
}

/** The workload id that a text is, or INVALID_ID: for requests that carry nothing else. */
export const parseId = (text: unknown): WorkloadId => {
  const fields = read({ id: text })
  return fields.done({ do: 'delete', id: fields.id() }).id
}

/** A workload that was read from elsewhere than a request, as a draft. */
export const leftDraft = (left: {
  readonly id: string
  readonly host: string
  readonly zone?: string
  readonly passthrough: boolean
  readonly backends: readonly string[]
}): Draft => {
  const { id, host, zone, passthrough, backends } = left
  return Object.freeze({
    id: parseId(id),
    host,
    ...(zone !== undefined && { zone }),
    passthrough,
    backends,
    tenant: tenantOf(id),
  })
}

const read = (input: Record<string, unknown>) => {
  const problems: Problem[] = []
  const value = (key: string): unknown => (Object.hasOwn(input, key) ? (input[key] ?? undefined) : undefined)
  const against = (code: ErrorCode, message: string, fix: string): void => void problems.push({ code, message, fix })
  /** Absent is the empty string, which no field takes: one sentence for both. */
  const text = (key: string): string | undefined => {
    const given = value(key) ?? ''
    if (typeof given === 'string') return given
    problems.push(badType(key, 'a string', given))
    return undefined
  }

  const id = (): WorkloadId => {
    const given = text('id')
    if (given !== undefined && isObjectMember(given))
      against('INVALID_ID', `invalid workload id '${shown(given)}': it names a member of every JavaScript object`, idRule)
    else if (given !== undefined && !isWorkloadId(given)) against('INVALID_ID', `invalid workload id '${shown(given)}'`, idRule)
    return (given ?? '') as WorkloadId
  }
  const host = (): string => {
    const given = text('fqdn')
    const fqdn = given === undefined ? undefined : canonicalHost(given)
    if (given !== undefined && fqdn === undefined) against('INVALID_FQDN', `fqdn ${shown(given)} is invalid`, hostRule)
    return fqdn ?? ''
  }
  const label = (): string => {
    const given = text('name')
    const name = given === undefined ? undefined : canonicalLabel(given)
    if (given !== undefined && name === undefined) against('INVALID_NAME', `name ${shown(given)} is invalid`, labelRule)
    return name ?? ''
  }
  const wanted = (): Wanted => {
    const own = id()
    const passthrough = value('passthrough') ?? false
    if (typeof passthrough !== 'boolean') problems.push(badType('passthrough', 'true or false', passthrough))
    // Which form is right nobody knows where the mode is wrong.
    const found = typeof passthrough === 'boolean' ? readBackends(value('backends'), passthrough) : nothing
    problems.push(...found.problems)
    const network = value('network')
    const rest = { id: own, backends: found.backends, passthrough: passthrough === true }
    if (network === undefined) return rest
    if (typeof network !== 'string') {
      problems.push(badType('network', 'a string', network))
      return rest
    }
    if (!/^[A-Za-z0-9_]{1,50}$/.test(network))
      against('BAD_REQUEST', `network ${shown(network)} is invalid`, 'name a network of yours: 1 to 50 letters, digits and _')
    else if (isWorkloadId(own) && twinOf(own) === undefined)
      against('INVALID_ID', `invalid workload id '${own}': it names no twin`, 'with a network the id is twin-contract-name')
    return { ...rest, network }
  }
  const done = <O extends Operation>(operation: O): O => {
    const [first, ...rest] = problems
    if (first) throw refused([first, ...rest])
    return Object.freeze(operation)
  }
  return { value, id, host, label, wanted, done }
}

interface Read {
  readonly backends: readonly string[]
  readonly problems: readonly Problem[]
}
const nothing: Read = { backends: [], problems: [] }

const readBackends = (given: unknown, passthrough: boolean): Read => {
  const none = (problem: Problem) => ({ backends: [], problems: [problem] })
  const list = given ?? []
  if (!Array.isArray(list)) return none(badType('backends', 'a list of strings', list))
  if (list.length === 0) return none(badBackend('backends list can not be empty', passthrough))
  if (list.length > maxBackends)
    return none({
      code: 'INVALID_BACKEND',
      message: `a workload has at most ${maxBackends} backends, got ${list.length}`,
      fix: 'put a load balancer of your own in front of them',
    })
  const good = new Map<string, string>()
  const bad: Problem[] = []
  for (const each of list) {
    const backend: Backend | string = typeof each === 'string' ? parseBackend(each, passthrough) : ''
    if (typeof each !== 'string') bad.push(badType('every backend', 'a string', each))
    else if (typeof backend === 'string')
      bad.push(badBackend(`failed to validate backend '${shown(each)}': ${backend}`, passthrough))
    else if (!good.has(formatBackend(backend))) good.set(formatBackend(backend), backend.text)
  }
  const more = bad.length - maxReported
  const problems = more > 0 ? [...bad.slice(0, maxReported), badBackend(`${more} more backends are wrong`, passthrough)] : bad
  return { backends: Object.freeze([...good.values()]), problems }
}

const badBackend = (message: string, passthrough: boolean): Problem => ({
  code: 'INVALID_BACKEND',
  message,
  fix: passthrough ? 'write them as ip:port or https://ip:port' : 'write them as http://ip:port or https://ip:port',
})
const badType = (what: string, wanted: string, got: unknown): Problem => {
  const type = got === null ? 'null' : Array.isArray(got) ? 'a list' : typeof got
  return {
    code: 'BAD_REQUEST',
    message: `${what} must be ${wanted}, got ${type}`,
    fix: `send ${wanted}`,
  }
}

const idRule = 'use 1 to 128 letters, digits, - and _'
const hostRule =
  'give a host name of at least two labels, each 1 to 63 ASCII letters, digits, - and _ (for other letters its xn-- form), 253 in all; no IP address, no _acme-challenge'
const labelRule = 'give one label of 1 to 63 ASCII letters, digits, - and _; not _acme-challenge'
