import { Resolver } from 'node:dns/promises'
import { definePlugin, GatewayError, knownOptions, NodeFacts, optional, type Problem } from '../../core/index.ts'
import { type DnsFailure, type DnsLook, dnsLook, failureText } from '../../lib/dns/look.ts'
import { parseIp } from '../../lib/ip.ts'
import { shown } from '../../lib/shown.ts'

export interface PointsHereOptions {
  /** Name servers to ask, in order: `1.1.1.1`, `[2606:4700::1111]:53`. The system's by default. */
  readonly resolvers?: readonly string[]
  /** Seconds for all questions of one check; 10 by default. */
  readonly timeout?: number
  /** Whether one of the domain's addresses must be the node's (default), or every one. */
  readonly agree?: 'one' | 'all'
}

/** Refuses a domain that does not resolve to the node's public address. Names of the gateway's own domain are not asked for. */
export const pointsHere = (options: PointsHereOptions = {}) => {
  knownOptions('pointsHere', options, { resolvers: true, timeout: true, agree: true })
  const { resolvers = [], timeout = 10, agree = 'one' } = options
  check(options)
  return definePlugin({
    name: 'policy/points-here',
    kind: 'policy',
    options,
    needs: { node: optional(NodeFacts) },
    setup: ({ node }) => ({
      async check({ host, zone }, signal) {
        if (zone !== undefined) return []
        const config = await node?.publicConfig(signal)
        const here = [config?.ipv4, config?.ipv6].flatMap((text) => canonical(text) ?? [])
        if (here.length === 0) return [noAddress]
        const { addresses, failure } = await resolve(host, dnsLook({ servers: resolvers, seconds: timeout, signal }))
        const hits = addresses.filter((text) => here.includes(text)).length
        const elsewhere = hits < addresses.length
        if (agree === 'one' ? hits > 0 : hits > 0 && !elsewhere && !failure) return []
        // What nobody answered may well be the record that points here.
        if (failure && !isAbsence(failure) && !(agree === 'all' && elsewhere)) return [unavailable(host, failure)]
        return [mismatch(host, addresses.length > 0 ? `${host} points to ${list(addresses)}` : absence(host, failure), here)]
      },
    }),
  })
}

interface Resolution {
  readonly addresses: readonly string[]
  /** Of the family that could not be resolved, or of both where neither has a record. */
  readonly failure: DnsFailure | undefined
}

const resolve = async (host: string, dns: DnsLook): Promise<Resolution> => {
  const families = await Promise.all([dns.a(host), dns.aaaa(host)])
  const addresses = families.flatMap(({ records }) => records.map((text) => canonical(text) ?? text))
  const failures = families.flatMap(({ failure }) => failure ?? [])
  const unanswered = failures.find((failure) => !isAbsence(failure))
  return { addresses, failure: unanswered ?? (addresses.length === 0 ? failures[0] : undefined) }
}

const isAbsence = (failure: DnsFailure): boolean => failure === 'NXDOMAIN' || failure === 'NODATA'
const absence = (host: string, failure: DnsFailure | undefined): string =>
  failure === 'NXDOMAIN' ? failureText(host, failure) : `${host} has neither an A nor an AAAA record`

const canonical = (text: string | undefined): string | undefined => (text === undefined ? undefined : parseIp(text)?.text)
const list = (addresses: readonly string[]): string =>
  addresses.length > 8 ? `${addresses.slice(0, 8).join(', ')} and ${addresses.length - 8} more` : addresses.join(', ')

const mismatch = (host: string, seen: string, here: readonly string[]): Problem => ({
  code: 'DNS_MISMATCH',
  message: `failed to verify domain dns record: host doesn't point to the gateway ip: ${seen}`,
  fix: `give ${host} an A or AAAA record with ${here.join(' or ')} and try again when it is out`,
})
/** Nobody could say where the domain points: no fault of the caller, and no reason to remove what it set before. */
const unavailable = (host: string, failure: DnsFailure): Problem => ({
  code: 'DNS_UNAVAILABLE',
  message: `failed to verify domain dns record: ${failureText(host, failure)}`,
  fix: 'try again; if it persists, check the name servers that the gateway asks and those of the domain',
})
const noAddress: Problem = {
  code: 'NO_PUBLIC_CONFIG',
  message: 'gateway is not supported on this node: its public config has no address that a domain could point to',
  fix: 'give the node a public address, such as by staticNode({ ipv4 })',
}

const check = ({ resolvers = [], timeout = 10, agree = 'one' }: PointsHereOptions): void => {
  if (!(typeof timeout === 'number' && timeout >= 0.1 && timeout <= 45))
    throw invalid(`timeout is ${timeout}`, 'give seconds from 0.1 to 45')
  if (agree !== 'one' && agree !== 'all') throw invalid(`agree is '${shown(String(agree))}'`, "give 'one' or 'all'")
  try {
    new Resolver().setServers([...resolvers])
  } catch {
    throw invalid(`resolvers are ${shown(JSON.stringify(resolvers))}`, 'give IP addresses, with a port where it is not 53')
  }
}
const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `pointsHere: ${what}`, fix)
