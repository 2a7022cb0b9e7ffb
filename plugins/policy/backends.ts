import { networkInterfaces } from 'node:os'
import { definePlugin, GatewayError, knownOptions, NodeFacts, optional, type Problem } from '../../core/index.ts'
import { type Backend, parseBackend } from '../../lib/backend.ts'
import { type Ip, inRange, parseIp, parseRange, type Range } from '../../lib/ip.ts'
import { classify, embedded, type IpClass } from '../../lib/ip-class.ts'
import { shown } from '../../lib/shown.ts'

export interface BackendsOptions {
  /** Lets private addresses through: RFC 1918, the shared range of RFC 6598, and fc00::/7. */
  readonly private?: boolean
  /** Ranges that are let through whatever they are: `10.0.0.0/8`, `200::/7`, `127.0.0.1`. */
  readonly allow?: readonly string[]
  /** Ports of the gateway itself, which no backend on this machine may be, whatever is allowed. */
  readonly ownPorts?: readonly number[]
}

/**
 * Which addresses tenants may have dialed. By default only those of the public internet, without the node's own: what is reachable
 * from the gateway but not from the tenant is none of the tenant's business. Backends in a private network of the tenant's own may
 * have private addresses.
 */
export const backends = (options: BackendsOptions = {}) => {
  knownOptions('backends', options, { private: true, allow: true, ownPorts: true })
  const allow = (options.allow ?? []).map(readRange)
  const ownPorts = new Set((options.ownPorts ?? []).map(readPort))
  return definePlugin({
    name: 'policy/backends',
    kind: 'policy',
    options,
    needs: { node: optional(NodeFacts) },
    setup: ({ node }) => ({
      async check(draft, signal) {
        const config = await node?.publicConfig(signal)
        const own = [config?.ipv4, config?.ipv6].flatMap((text) => (text && parseIp(text)) || [])
        const privately = options.private === true || draft.network !== undefined
        return draft.backends.flatMap((text) => {
          const backend = parseBackend(text, draft.passthrough)
          if (typeof backend === 'string') return [invalid(text, backend)]
          if (ownPorts.has(backend.port) && isHere(backend.ip, own)) return [toItself(backend)]
          const against = objection(backend.ip, own, allow, privately)
          return against === undefined ? [] : [forbidden(backend, against)]
        })
      },
    }),
  })
}

/** What stands against dialing the address, or an address that it carries. */
const objection = (ip: Ip, own: readonly Ip[], allow: readonly Range[], privately: boolean): string | undefined => {
  const inner = embedded(ip)
  const within = inner && objection(inner, own, allow, privately)
  if (within !== undefined) return `${ip.text} leads to ${within}`
  if (allow.some((range) => inRange(ip, range))) return undefined
  if (own.some(({ text }) => text === ip.text)) return `the node's own public IP address`
  const name = refused[classify(ip)]
  if (name === undefined || (privately && privateClasses.has(classify(ip)))) return undefined
  return `${ip.text}, ${name}`
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
  reserved: 'an address out of the ranges in public use',
  '6to4': undefined,
  global: undefined,
}

/** Whether a connection to the address ends on this machine. */
const isHere = (ip: Ip, own: readonly Ip[]): boolean => {
  const kind = classify(ip)
  if (kind === 'loopback' || kind === 'unspecified' || own.some(({ text }) => text === ip.text)) return true
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => parseIp(address)?.text === ip.text))
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
