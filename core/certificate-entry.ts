import { createHash } from 'node:crypto'
import type { Running } from './boot.ts'
import type { GatewayError } from './errors.ts'
import type { Certificate, CertificateState } from './operation.ts'

/** One certificate, or the lack of it: what `core/certificates.ts` keeps of each list of names. Times in ms since 1970. */
export interface Entry {
  readonly id: string
  readonly resolver: string
  readonly names: readonly string[]
  owner: Running<'resolver'> | undefined
  users: number
  /** Who used it last, where it is for one host alone. */
  tenant?: string
  certificate?: Certificate
  /** Served while there is no certificate. */
  stopgap?: Certificate
  error?: GatewayError
  failures: number
  /** When to obtain, renew or prune. */
  next: number
  /** One that was due when it came is not renewed before. Like a wait after a failure, this is so long whatever the clock says. */
  rests: number
  /** Whatever a resolver says of when to renew, it is not before. */
  soonest: number
  /** When to ask the resolver when to renew. */
  ask: number
  busy?: Promise<void>
  asking?: boolean
  /** The engine has had a certificate of this entry. */
  installed?: boolean
  /** Obtained, and the store could not take it yet. */
  unsaved?: boolean
}

export const newEntry = (resolver: string, names: readonly string[], owner?: Running<'resolver'>): Entry => ({
  id: idOf(resolver, keyOf(resolver, names)),
  resolver,
  names,
  owner,
  users: 0,
  failures: 0,
  next: 0,
  rests: 0,
  soonest: 0,
  ask: 0,
})

/** The same resolver and names make the same certificate. */
export const keyOf = (resolver: string, names: readonly string[]): string => `${resolver} ${names.join(' ')}`
const idOf = (resolver: string, key: string): string =>
  `${resolver}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`

export const usable = (certificate: Certificate | undefined): certificate is Certificate =>
  certificate !== undefined && certificate.notAfter.getTime() > Date.now()

/** What the engine is to have of it. */
export const servedBy = ({ certificate, stopgap }: Entry): Certificate | undefined =>
  usable(certificate) ? certificate : (stopgap ?? certificate)

export const stateOf = (entry: Entry): CertificateState => {
  const { id, resolver, names, users, certificate, stopgap, error, next } = entry
  return {
    id,
    resolver,
    names,
    users,
    state: usable(certificate) ? 'ready' : error ? 'failed' : certificate ? 'ready' : 'pending',
    why: whyOf(entry),
    ...(certificate && { certificate }),
    ...(error && { error: error.message, code: error.code, fix: error.fix }),
    ...(next > 0 && { next: new Date(next) }),
    ...(stopgap && !usable(certificate) && { meanwhile: stopgap.resolver }),
  }
}

const whyOf = ({ users, next }: Entry): string => {
  if (users > 1) return `${users} workloads use it`
  if (users === 1) return 'one workload uses it'
  return `no workload uses it; kept until ${new Date(next).toISOString()} in case one comes back`
}
