import { definePlugin, GatewayError, knownOptions, NodeFacts, type PublicConfig } from '../../core/index.ts'
import { canonicalHost } from '../../lib/host.ts'
import { parseIp } from '../../lib/ip.ts'
import { shown } from '../../lib/shown.ts'

/** Says what the node is to the outside, as written in the config file: addresses without prefix length, and the domain of name workloads. */
export const staticNode = (options: PublicConfig = {}) => {
  knownOptions('staticNode', options, { ipv4: true, ipv6: true, domain: true })
  const config = Object.freeze({ ...address(options, 'ipv4', 4), ...address(options, 'ipv6', 6), ...domain(options) })
  return definePlugin({
    name: 'service/static-node',
    kind: 'service',
    options,
    provides: { node: NodeFacts },
    setup: () => ({ api: { node: { publicConfig: () => config } } }),
  })
}

const address = (options: PublicConfig, key: 'ipv4' | 'ipv6', version: 4 | 6): PublicConfig => {
  const given = options[key]
  if (given === undefined) return {}
  const ip = typeof given === 'string' ? parseIp(given) : undefined
  if (ip?.version !== version)
    throw invalid(key, given, version === 4 ? 'an IPv4 address such as 198.51.100.7' : 'an IPv6 address such as 2001:db8::7')
  return { [key]: ip.text }
}

const domain = (options: PublicConfig): PublicConfig => {
  const given = options.domain
  if (given === undefined) return {}
  const host = typeof given === 'string' ? canonicalHost(given) : undefined
  if (!host) throw invalid('domain', given, 'a host name such as gent01.grid.tf')
  return { domain: host }
}

const invalid = (key: string, given: unknown, wanted: string): GatewayError =>
  new GatewayError('CONFIG_INVALID', `staticNode: ${key} '${shown(String(given))}' is not ${wanted}`, `give ${key} as ${wanted}`)
