import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An IP address. `text` is its one canonical spelling (RFC 5952), `bytes` are 4 or 16. An IPv4-mapped address is the IPv4 address. */
export interface Ip {
  readonly version: 4 | 6
  readonly text: string
  readonly bytes: readonly number[]
}

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
  | 'reserved'
  | 'global'

/** Takes what Go's net.ParseIP takes and nothing else: no zone, no leading zero, no short, octal, hex or decimal form. */
export const parseIp = (text: string): Ip | undefined => {
  if (text.length > 45) return undefined
  if (isIPv4(text)) return v4(text.split('.').map(Number))
  if (text.includes('%') || !isIPv6(text)) return undefined
  const parsed = ipaddr.IPv6.parse(text)
  const bytes = parsed.toByteArray()
  return inRange({ version: 6, text: '', bytes }, mapped)
    ? v4(bytes.slice(12))
    : { version: 6, text: parsed.toRFC5952String(), bytes }
}

/** What an address is for (IANA special-purpose registries, RFC 6890). Addresses that carry another one: see `embedded`. */
export const classify = (ip: Ip): IpClass =>
  table.find(([range]) => inRange(ip, range))?.[1] ?? (ip.version === 4 || inRange(ip, unicast) ? 'global' : 'reserved')

/** The IPv4 address inside a NAT64 (RFC 6052 section 2.1), 6to4 (RFC 3056 section 2) or Teredo (RFC 4380 section 4) address. */
export const embedded = (ip: Ip): Ip | undefined => {
  const kind = ip.version === 6 ? classify(ip) : undefined
  if (kind === '6to4') return v4(ip.bytes.slice(2, 6))
  if (kind === 'nat64') return v4(ip.bytes.slice(12))
  if (kind === 'teredo') return v4(ip.bytes.slice(12).map((byte) => byte ^ 0xff))
  return undefined
}

/** A block of addresses, of `bits` leading bits in common. */
export interface Range {
  readonly ip: Ip
  readonly bits: number
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or one address. */
export const parseRange = (text: string): Range | undefined => {
  const match = /^([^/]+?)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text)
  const ip = match?.[1] === undefined ? undefined : parseIp(match[1])
  if (!match || !ip) return undefined
  const full = ip.bytes.length * 8
  const bits = match[2] === undefined ? full : Number(match[2])
  // `::ffff:10.0.0.0/104` would read as 10.0.0.0/104.
  return bits <= full ? { ip, bits } : undefined
}

export const inRange = (ip: Ip, { ip: base, bits }: Range): boolean => {
  if (ip.bytes.length !== base.bytes.length) return false
  for (let at = 0, left = bits; left > 0; at++, left -= 8) {
    const differing = (ip.bytes[at] ?? 0) ^ (base.bytes[at] ?? 0)
    if (differing >> Math.max(0, 8 - left) !== 0) return false
  }
  return true
}

const v4 = (bytes: readonly number[]): Ip => ({ version: 4, text: bytes.join('.'), bytes })
const range = (first: string, bits: number): Range => {
  const bytes = ipaddr.parse(first).toByteArray()
  return { ip: { version: bytes.length === 4 ? 4 : 6, text: first, bytes }, bits }
}
const mapped = range('::ffff:0:0', 96)
const unicast = range('2000::', 3)

// The narrower range stands first.
const table: readonly (readonly [Range, IpClass])[] = [
  [range('0.0.0.0', 8), 'unspecified'],
  [range('10.0.0.0', 8), 'private'],
  [range('100.64.0.0', 10), 'cgnat'],
  [range('127.0.0.0', 8), 'loopback'],
  [range('169.254.0.0', 16), 'link-local'],
  [range('172.16.0.0', 12), 'private'],
  [range('192.168.0.0', 16), 'private'],
  [range('224.0.0.0', 4), 'multicast'],
  [range('255.255.255.255', 32), 'broadcast'],
  [range('240.0.0.0', 4), 'reserved'],
  [range('::', 128), 'unspecified'],
  [range('::1', 128), 'loopback'],
  [range('64:ff9b::', 96), 'nat64'],
  [range('64:ff9b:1::', 48), 'nat64'],
  [range('2001::', 32), 'teredo'],
  [range('2002::', 16), '6to4'],
  [range('fc00::', 7), 'ula'],
  [range('fe80::', 10), 'link-local'],
  [range('ff00::', 8), 'multicast'],
]
