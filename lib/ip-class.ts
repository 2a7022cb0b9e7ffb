import { type Ip, inRange, ipv4, parseRange, type Range } from './ip.ts'

export type IpClass =
  | 'unspecified'
  | 'loopback'
  | 'link-local'
  | 'multicast'
  | 'broadcast'
  | 'private'
  | 'cgnat'
  | 'ula'
  | 'nat64'
  | '6to4'
  | 'teredo'
  | 'documentation'
  | 'benchmarking'
  | 'protocol'
  | '6to4-relay'
  | 'discard'
  | 'reserved'
  | 'global'

/**
 * What an address is for, by the IANA special-purpose registries (RFC 6890): every block there that is not globally reachable has a
 * class of its own, and so has what RFC 4291 does not give to global unicast. Addresses that carry another one: see `embedded`.
 */
export const classify = (ip: Ip): IpClass =>
  table.find(([range]) => inRange(ip, range))?.[1] ?? (ip.version === 4 || inRange(ip, unicast) ? 'global' : 'reserved')

/** The IPv4 address inside a NAT64 (RFC 6052 section 2.1), 6to4 (RFC 3056 section 2) or Teredo (RFC 4380 section 4) address. */
export const embedded = (ip: Ip): Ip | undefined => {
  const kind = ip.version === 6 ? classify(ip) : undefined
  if (kind === '6to4') return ipv4(ip.bytes.slice(2, 6))
  if (kind === 'nat64') return ipv4(ip.bytes.slice(12))
  if (kind === 'teredo') return ipv4(ip.bytes.slice(12).map((byte) => byte ^ 0xff))
  return undefined
}

const range = (text: string): Range => {
  const made = parseRange(text)
  if (!made) throw new Error(`${text} is no range`)
  return made
}
const unicast = range('2000::/3')

// The narrower range stands first.
const table: readonly (readonly [Range, IpClass])[] = [
  [range('0.0.0.0/8'), 'unspecified'],
  [range('10.0.0.0/8'), 'private'],
  [range('100.64.0.0/10'), 'cgnat'],
  [range('127.0.0.0/8'), 'loopback'],
  [range('169.254.0.0/16'), 'link-local'],
  [range('172.16.0.0/12'), 'private'],
  [range('192.0.0.0/24'), 'protocol'],
  [range('192.0.2.0/24'), 'documentation'],
  [range('192.88.99.0/24'), '6to4-relay'],
  [range('192.168.0.0/16'), 'private'],
  [range('198.18.0.0/15'), 'benchmarking'],
  [range('198.51.100.0/24'), 'documentation'],
  [range('203.0.113.0/24'), 'documentation'],
  [range('224.0.0.0/4'), 'multicast'],
  [range('255.255.255.255/32'), 'broadcast'],
  [range('240.0.0.0/4'), 'reserved'],
  [range('::/128'), 'unspecified'],
  [range('::1/128'), 'loopback'],
  [range('64:ff9b::/96'), 'nat64'],
  [range('64:ff9b:1::/48'), 'nat64'],
  [range('100::/64'), 'discard'],
  [range('100:0:0:1::/64'), 'discard'],
  [range('2001::/32'), 'teredo'],
  [range('2001:2::/48'), 'benchmarking'],
  [range('2001::/23'), 'protocol'],
  [range('2001:db8::/32'), 'documentation'],
  [range('2002::/16'), '6to4'],
  [range('3fff::/20'), 'documentation'],
  [range('fc00::/7'), 'ula'],
  [range('fe80::/10'), 'link-local'],
  [range('ff00::/8'), 'multicast'],
]
