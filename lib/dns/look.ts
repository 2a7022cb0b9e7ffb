import type { CaaRecord, SoaRecord } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isUnder } from '../host.ts'
import { patience } from '../patience.ts'

/** Why there are no records: the name does not exist, it has none of the type, or nobody could say. */
export type DnsFailure = 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'REFUSED' | 'timeout' | 'unreachable' | 'failed'
export interface Found<T> {
  /** Empty exactly where there is a failure. */
  readonly records: readonly T[]
  readonly failure?: DnsFailure
}
/** Questions to name servers. None rejects but by the signal's reason. */
export interface DnsLook {
  a(name: string): Promise<Found<string>>
  aaaa(name: string): Promise<Found<string>>
  cname(name: string): Promise<Found<string>>
  ns(name: string): Promise<Found<string>>
  soa(name: string): Promise<Found<SoaRecord>>
  /** One text a record, its strings joined. */
  txt(name: string): Promise<Found<string>>
  caa(name: string): Promise<Found<CaaRecord>>
}
export interface LookOptions {
  /** Name servers, `192.0.2.1` or `192.0.2.1:5353`; empty: those of the system. */
  readonly servers?: readonly string[]
  /** Seconds for one question. Default 5. */
  readonly seconds?: number
  readonly signal: AbortSignal
}

/** Asks recursive resolvers, as a CA would ask its own. Nothing is kept: an answer is as old as the resolver's cache. */
export const dnsLook = ({ servers = [], seconds = 5, signal }: LookOptions): DnsLook => {
  const ask = async <T>(question: (resolver: Resolver) => Promise<readonly T[]>): Promise<Found<T>> => {
    signal.throwIfAborted()
    const resolver = new Resolver({ timeout: Math.ceil((seconds * 1_000) / (2 * Math.max(1, servers.length))), tries: 2 })
    if (servers.length > 0) resolver.setServers(servers)
    let over = false
    const cancel = () => {
      over = true
      resolver.cancel()
    }
    const come = patience(seconds * 1_000, cancel)
    signal.addEventListener('abort', cancel, { once: true })
    try {
      for (;;) {
        const { records, failure } = await question(resolver).then(found, failed)
        signal.throwIfAborted()
        // The resolver's own timers count time in which this process stood still.
        if (failure !== 'timeout' || over) return failure ? { records, failure } : { records }
      }
    } finally {
      come()
      signal.removeEventListener('abort', cancel)
    }
  }
  // RFC 6761 section 6.3: such a name is this machine, and nobody is asked.
  const local = (name: string, address: string, question: (resolver: Resolver) => Promise<readonly string[]>) =>
    isUnder(name, 'localhost') ? Promise.resolve({ records: [address] }) : ask(question)
  return {
    a: (name) => local(name, '127.0.0.1', (resolver) => resolver.resolve4(name)),
    aaaa: (name) => local(name, '::1', (resolver) => resolver.resolve6(name)),
    cname: (name) => ask((resolver) => resolver.resolveCname(name)),
    ns: (name) => ask((resolver) => resolver.resolveNs(name)),
    soa: (name) => ask(async (resolver) => [await resolver.resolveSoa(name)]),
    txt: (name) => ask(async (resolver) => (await resolver.resolveTxt(name)).map((strings) => strings.join(''))),
    caa: (name) => ask((resolver) => resolver.resolveCaa(name)),
  }
}

const failures: Readonly<Record<string, DnsFailure>> = {
  ENOTFOUND: 'NXDOMAIN',
  ENODATA: 'NODATA',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  ETIMEOUT: 'timeout',
  ECANCELLED: 'timeout',
  ECONNREFUSED: 'unreachable',
}
const found = <T>(records: readonly T[]): Found<T> => (records.length > 0 ? { records } : { records, failure: 'NODATA' })
const failed = (error: unknown): Found<never> => ({ records: [], failure: failureOf(error) })
const failureOf = (error: unknown): DnsFailure =>
  (error instanceof Error && 'code' in error ? failures[String(error.code)] : undefined) ?? 'failed'

/** Whether the answer is that there is none, as against no answer. */
export const isAbsent = ({ failure }: Found<unknown>): boolean => failure === 'NXDOMAIN' || failure === 'NODATA'

/** A failure in words: "no name server answered for example.org in time". */
export const failureText = (name: string, failure: DnsFailure): string => {
  switch (failure) {
    case 'NXDOMAIN':
      return `${name} does not exist (NXDOMAIN)`
    case 'NODATA':
      return `${name} has no such record`
    case 'SERVFAIL':
      return `the name servers of ${name} failed (SERVFAIL)`
    case 'REFUSED':
      return `the name servers refused to answer for ${name} (REFUSED)`
    case 'timeout':
      return `no name server answered for ${name} in time`
    case 'unreachable':
      return `no name server could be reached to ask for ${name}`
    case 'failed':
      return `looking up ${name} failed`
  }
}
