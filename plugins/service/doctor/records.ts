import { GatewayError, type PublicConfig } from '../../../core/index.ts'

/** The records that make a full gateway of a node, as lines of a zone file: its address, every name below it, and the challenges that it answers itself. */
export const recordsOf = (config: PublicConfig | undefined): readonly string[] => {
  const { domain, ipv4, ipv6 } = config ?? {}
  if (!ipv4 && !ipv6)
    throw new GatewayError(
      'NO_PUBLIC_CONFIG',
      'the node has no public address',
      'give it one, such as by staticNode({ ipv4, domain })',
    )
  if (!domain)
    throw new GatewayError('NO_DOMAIN', 'the node has no domain', 'give it one, such as by staticNode({ ipv4, domain })')
  return [
    ...(ipv4 ? [`${domain}. 300 IN A ${ipv4}`] : []),
    ...(ipv6 ? [`${domain}. 300 IN AAAA ${ipv6}`] : []),
    `*.${domain}. 300 IN CNAME ${domain}.`,
    `_acme-challenge.${domain}. 300 IN NS ${domain}.`,
  ]
}
