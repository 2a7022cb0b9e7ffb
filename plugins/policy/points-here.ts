import { Resolver } from 'node:dns/promises'
import { definePlugin, GatewayError, knownOptions, NodeFacts, optional, type Problem } from '../../core/index.ts'
import { isUnder } from '../../lib/host.ts'
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
        const seen = await look(host, { resolvers, milliseconds: timeout * 1_000, agree, signal })
        if (typeof seen === 'string') return [mismatch(host, seen, here)]
        const hits = seen.filter((text) => here.includes(text)).length
        if (agree === 'all' ? hits === seen.length : hits > 0) return []
        return [mismatch(host, `${host} points to ${list(seen)}`, here)]
      },
    }),
  })
}

interface Asking {
  readonly resolvers: readonly string[]
  readonly milliseconds: number
  readonly agree: 'one' | 'all'
  readonly signal: AbortSignal
}

/** All addresses of a host, or why they are not known. */
const look = async (host: string, asking: Asking): Promise<readonly string[] | string> => {
  // RFC 6761 section 6.3: such a name is this machine, and nobody is asked.
  if (isUnder(host, 'localhost')) return ['127.0.0.1', '::1']
  const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(asking.milliseconds)])
  const servers = Math.max(1, asking.resolvers.length)
  const resolver = new Resolver({ timeout: Math.ceil(asking.milliseconds / (2 * servers)), tries: 2 })
  if (asking.resolvers.length > 0) resolver.setServers(asking.resolvers)
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    asking.signal.throwIfAborted()
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const codes = answers.flatMap((answer) => (answer.status === 'rejected' ? [codeOf(answer.reason)] : []))
    const failed = codes.find((code) => code !== 'ENODATA' && code !== 'ENOTFOUND')
    const known = addresses.length > 0 && (asking.agree === 'one' || failed === undefined)
    return known ? addresses.map((text) => canonical(text) ?? text) : why(host, failed ?? codes[0] ?? 'ENODATA')
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

const why = (host: string, code: string): string => {
  switch (code) {
    case 'ENOTFOUND':
      return `${host} does not exist (NXDOMAIN)`
    case 'ENODATA':
      return `${host} has neither an A nor an AAAA record`
    case 'EREFUSED':
      return `the name servers refused to answer for ${host} (REFUSED)`
    case 'ESERVFAIL':
      return `the name servers of ${host} failed (SERVFAIL)`
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return `no name server answered for ${host} in time`
    case 'ECONNREFUSED':
      return `no name server could be reached to ask for ${host}`
  }
  return `looking up ${host} failed (${code})`
}
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

const canonical = (text: string | undefined): string | undefined => (text === undefined ? undefined : parseIp(text)?.text)
const list = (addresses: readonly string[]): string =>
  addresses.length > 8 ? `${addresses.slice(0, 8).join(', ')} and ${addresses.length - 8} more` : addresses.join(', ')

const mismatch = (host: string, seen: string, here: readonly string[]): Problem => ({
  code: 'DNS_MISMATCH',
  message: `failed to verify domain dns record: host doesn't point to the gateway ip: ${seen}`,
  fix: `give ${host} an A or AAAA record with ${here.join(' or ')} and try again when it is out`,
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
