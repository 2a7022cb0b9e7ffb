import { canonicalHost, isUnder } from '../host.ts'
import { isSecret, readSecret, type Secret } from '../secret.ts'
import { shown } from '../shown.ts'
import { challengeOf, readChallenge } from './challenge.ts'
import { DnsFailure, denied, unavailable } from './failure.ts'
import { type Propagation, parseServer, untilAnswered } from './propagation.ts'

/** What every provider that writes to a name server of others takes. */
export interface RemoteOptions {
  /** The `_acme-challenge` names of these domains, and of all below them, are taken; any other is refused. */
  readonly zones: readonly string[]
  /** Seconds for one call to the provider; 30 by default. */
  readonly timeout?: number
  /** How `present` finds out that the record is answered. `false`: it does not, and returns when the provider has taken it. */
  readonly propagation?: Propagation | false
}
/** A record, as a provider is to write it. */
export interface TxtRecord {
  readonly name: string
  readonly value: string
  /** The one of `zones` that it is in, the longest. */
  readonly zone: string
  /** What only some can tell: the proof behind the value. */
  readonly proof: Proof | undefined
}
export interface Proof {
  readonly domain: string
  readonly token: string
  readonly keyAuthorization: string
  readonly alias?: string
}
export interface Remote {
  /** How many calls run at the same time; any number by default. A deadline begins when the call does. */
  readonly atOnce?: number
  /** Makes the provider have it; it may have it already. */
  put(record: TxtRecord, signal: AbortSignal): Promise<void>
  /** Makes the provider not have it; it may have none. */
  take(record: TxtRecord, signal: AbortSignal): Promise<void>
}

/** A DNS writer by a provider's two calls; `exact`: of the zones themselves only, not of what is below. What they throw that is no DnsFailure becomes DNS_UNAVAILABLE; `asError` makes either the core's. */
export const remoteWriter = (
  { zones, timeout = 30, propagation = {}, exact = false }: RemoteOptions & { readonly exact?: boolean },
  remote: Remote,
  asError: (failure: DnsFailure) => Error,
) => {
  const canonical = zones.flatMap((zone) => canonicalHost(zone) ?? []).toSorted((a, b) => b.length - a.length)
  const zoneOf = (name: string) => canonical.find((zone) => (exact ? name === challengeOf(zone) : isUnder(name, zone)))
  const read = (fqdn: string, value: string, proof: Proof | undefined): TxtRecord => {
    const told = readChallenge(
      fqdn,
      value,
      (name) => zoneOf(name) !== undefined,
      `_acme-challenge names of ${canonical.join(', ')}`,
      proof?.alias,
    )
    if ('problem' in told) throw new DnsFailure(told.problem.code, told.problem.message, told.problem.fix)
    return { name: told.name, value, zone: zoneOf(told.name) ?? '', proof }
  }
  const withDeadline = async (work: (signal: AbortSignal) => Promise<void>, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    const late = AbortSignal.timeout(timeout * 1_000)
    const through = signal ? AbortSignal.any([signal, late]) : late
    // One that does not listen to its signal is left behind.
    const over = new Promise<never>((_, reject) =>
      through.addEventListener('abort', () => reject(through.reason), { once: true }),
    )
    over.catch(() => undefined)
    try {
      await Promise.race([work(through), over])
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof DnsFailure) throw error
      if (late.aborted)
        throw unavailable(
          `the DNS provider did not answer within ${timeout} s`,
          'see whether it is reachable from here, or give it more time by `timeout`',
          error,
        )
      throw unavailable(error instanceof Error ? error.message : String(error), undefined, error)
    }
  }
  const slot = slots(remote.atOnce ?? Number.POSITIVE_INFINITY)
  const told = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      throw error instanceof DnsFailure ? asError(error) : error
    }
  }
  return {
    present: (fqdn: string, value: string, signal: AbortSignal, proof?: Proof) =>
      told(async () => {
        signal.throwIfAborted()
        const record = read(fqdn, value, proof)
        await slot(() => withDeadline((through) => remote.put(record, through), signal))
        if (propagation !== false) await untilAnswered(record.name, value, propagation, signal)
      }),
    cleanup: (fqdn: string, value: string, proof?: Proof) =>
      told(async () => {
        const record = read(fqdn, value, proof)
        await slot(() => withDeadline((through) => remote.take(record, through)))
      }),
  }
}

/** Lets so many run at once, the rest in the order of the calls. */
const slots = (count: number) => {
  const waiting: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= count) await new Promise<void>((go) => waiting.push(go))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}

/** What is wrong with the options that all of them have, and what to write. */
export const wrongRemote = ({ zones, timeout = 30, propagation }: RemoteOptions): { wrong: string; fix: string } | undefined => {
  const say = (value: unknown) => shown(JSON.stringify(value) ?? 'missing')
  if (
    !Array.isArray(zones) ||
    zones.length === 0 ||
    zones.some((zone) => typeof zone !== 'string' || canonicalHost(zone) === undefined)
  )
    return { wrong: `zones is ${say(zones)}`, fix: "give the domains that it may write to, such as ['example.org']" }
  if (!(typeof timeout === 'number' && timeout >= 0.1 && timeout <= 300))
    return { wrong: `timeout is ${say(timeout)}`, fix: 'give seconds from 0.1 to 300' }
  if (propagation === undefined || propagation === false) return undefined
  const { servers = [], seconds = 120 } = propagation
  if (!(typeof seconds === 'number' && seconds > 0 && seconds <= 3_600))
    return { wrong: `propagation.seconds is ${say(seconds)}`, fix: 'give seconds above 0, at most 3600' }
  if (!Array.isArray(servers) || servers.some((text) => typeof text !== 'string' || !parseServer(text)))
    return {
      wrong: `propagation.servers is ${say(servers)}`,
      fix: "give IP addresses such as ['192.0.2.1', '[2001:db8::1]:5353']",
    }
  return undefined
}

/** What is wrong with the option of a secret. */
export const wrongSecret = (key: string, value: unknown): { wrong: string; fix: string } | undefined =>
  isSecret(value)
    ? undefined
    : { wrong: `${key} is not where the secret stands`, fix: `give ${key} as { file: '/path' } or { env: 'NAME' }` }

/** The secret, or DNS_DENIED. */
export const secretOf = (secret: Secret): Promise<string> =>
  readSecret(secret).catch((error: Error) => {
    throw denied(`the DNS provider's secret is missing: ${error.message}`, 'put the secret there')
  })

/** What is wrong with the address of an API. */
export const wrongUrl = (key: string, value: unknown): { wrong: string; fix: string } | undefined => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url?.username || url?.password)
    return { wrong: `${key} has a user or password in it`, fix: 'give them by options of their own, so that no log shows them' }
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return undefined
  return { wrong: `${key} is ${shown(JSON.stringify(value) ?? 'missing')}`, fix: `give ${key} as https://host[:port]/path` }
}
