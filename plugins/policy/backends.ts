import {
  definePlugin,
  GatewayError,
  knownOptions,
  NodeFacts,
  type OwnEndpoint,
  optional,
  type Problem,
} from '../../core/index.ts'
import { type Backend, parseBackend } from '../../lib/backend.ts'
import { type Ip, inRange, parseIp, parseRange, type Range } from '../../lib/ip.ts'
import { classify, embedded, type IpClass } from '../../lib/ip-class.ts'
import { isOwnAddress } from '../../lib/own-address.ts'
import { shown } from '../../lib/shown.ts'

export interface BackendsOptions {
  /** Lets private addresses through: RFC 1918, the shared range of RFC 6598, and fc00::/7. */
  readonly private?: boolean
  /** Ranges that are let through whatever they are: `10.0.0.0/8`, `200::/7`, `127.0.0.1`. */
  readonly allow?: readonly string[]
  /** More ports that no backend on this machine may have, whatever is allowed. Those of the gateway and its plugins are known. */
  readonly ownPorts?: readonly number[]
}

/**
 * Rejects backend addresses that tenants must not reach: by default all but the public internet, and every address of this machine.
 * Backends in a private network of the tenant's own may have private addresses, and addresses that this machine has elsewhere.
 */
export const backends = (options: BackendsOptions = {}) => {
  knownOptions('backends', options, { private: true, allow: true, ownPorts: true })
  const allow = (options.allow ?? []).map(readRange)
  const ownPorts = (options.ownPorts ?? []).map((port) => ({ port: readPort(port) }))
  return definePlugin({
    name: 'policy/backends',
    kind: 'policy',
    options,
    needs: { node: optional(NodeFacts) },
    setup: ({ node, endpoints }) => ({
      async check(draft, signal) {
        const config = await node?.publicConfig(signal)
        const rules: Rules = {
          allow,
          publicly: [config?.ipv4, config?.ipv6].flatMap((text) => (text && parseIp(text)?.text) || []),
          privately: options.private === true || draft.network !== undefined,
          bridged: draft.network !== undefined,
        }
        const own = [...ownPorts, ...endpoints.all()]
        const problems: Problem[] = []
        for (const text of draft.backends) {
          const backend = parseBackend(text, draft.passthrough)
          if (typeof backend === 'string') problems.push(invalid(text, backend))
          else problems.push(...(await against(backend, rules, own)))
        }
        return problems
      },
    }),
  })
}

interface Rules {
  readonly allow: readonly Range[]
  /** The node's public addresses, which may be those of another network namespace or of a router before it. */
  readonly publicly: readonly string[]
  /** Private addresses pass. */
  readonly privately: boolean
  /** The address is dialed in a private network of the tenant's. */
  readonly bridged: boolean
}

const against = async (backend: Backend, rules: Rules, own: readonly OwnEndpoint[]): Promise<readonly Problem[]> => {
  if (await isOwnEndpoint(backend, rules, own)) return [toItself(backend)]
  const found = await objection(backend.ip, rules)
  return found === undefined ? [] : [forbidden(backend, found)]
}

/** What stands against dialing the address, or an address that it carries. */
const objection = async (ip: Ip, rules: Rules): Promise<string | undefined> => {
  const inner = embedded(ip)
  const within = inner && (await objection(inner, rules))
  if (within !== undefined) return `${ip.text} leads to ${within}`
  if (rules.allow.some((range) => inRange(ip, range))) return undefined
  if (rules.publicly.includes(ip.text)) return `the node's own public IP address`
  const kind = classify(ip)
  const name = refused[kind]
  if (name !== undefined && !(rules.privately && privateClasses.has(kind))) return `${ip.text}, ${name}`
  return !rules.bridged && (await isOwnAddress(ip)) ? `${ip.text}, an address of this machine` : undefined
}

/** Whether the address, or one that it carries, leads to a port of the gateway's own. */
const isOwnEndpoint = async ({ ip, port }: Backend, rules: Rules, own: readonly OwnEndpoint[]): Promise<boolean> => {
  const same = own.filter((endpoint) => endpoint.port <= port && port <= (endpoint.lastPort ?? endpoint.port))
  if (same.length === 0) return false
  const hosts = same.map(({ host }) => host && parseIp(host))
  for (let at: Ip | undefined = ip; at; at = embedded(at)) {
    const { text } = at
    const here = rules.publicly.includes(text) || (await isOwnAddress(at))
    for (const host of hosts) if (host ? host.text === text || (here && (await isOwnAddress(host))) : here) return true
  }
  return false
}

const privateClasses: ReadonlySet<IpClass> = new Set(['private', 'cgnat', 'ula'])
const refused: Readonly<Record<IpClass, string | undefined>> = {
  unspecified: 'an unspecified address',
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  private: 'a private address (RFC 1918)',
  cgnat: 'a carrier-grade NAT address (RFC 6598)',
  ula: 'a unique local address (RFC 4193)',
  nat64: 'a NAT64 address (RFC 6052)',
  teredo: 'a Teredo address (RFC 4380)',
  documentation: 'an address for documentation (RFC 5737, RFC 3849, RFC 9637)',
  benchmarking: 'an address for benchmarks (RFC 2544, RFC 5180)',
  protocol: 'an address of the IETF protocol assignments (RFC 6890)',
  '6to4-relay': 'a 6to4 relay address (RFC 7526)',
  discard: 'an address whose packets are discarded (RFC 6666, RFC 9780)',
  reserved: 'an address out of the ranges in public use',
  '6to4': undefined,
  global: undefined,
}

const forbidden = ({ text }: Backend, to: string): Problem => ({
  code: 'BACKEND_FORBIDDEN',
  message: `backend ${text} points to ${to}`,
  fix: 'use the address of the workload itself; the operator of the gateway can allow a range with backends({ allow })',
})
const toItself = ({ text, port }: Backend): Problem => ({
  code: 'BACKEND_FORBIDDEN',
  message: `backend ${text} points to the gateway itself, on its port ${port}`,
  fix: 'use the port of the workload',
})
const invalid = (text: string, why: string): Problem => ({
  code: 'INVALID_BACKEND',
  message: `failed to validate backend '${shown(text)}': ${why}`,
  fix: 'write it as http://ip:port, or for passthrough as ip:port',
})

const readRange = (text: string): Range => {
  const range = typeof text === 'string' ? parseRange(text) : undefined
  if (range) return range
  throw new GatewayError(
    'CONFIG_INVALID',
    `backends: allow has '${shown(String(text))}', which is no range`,
    'write it as 10.0.0.0/8',
  )
}
const readPort = (port: number): number => {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new GatewayError(
    'CONFIG_INVALID',
    `backends: ownPorts has '${String(port)}', which is no port`,
    'give numbers from 1 to 65535',
  )
}
