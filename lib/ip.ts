import { isIPv4, isIPv6 } from 'node:net'

/** An IP address. `text` is its one canonical spelling (RFC 5952), `bytes` are 4 or 16. An IPv4-mapped address is the IPv4 address. */
export interface Ip {
  readonly version: 4 | 6
  readonly text: string
  readonly bytes: readonly number[]
}

/** Takes what Go's net.ParseIP takes and nothing else: no zone, no leading zero, no short, octal, hex or decimal form. */
export const parseIp = (text: string): Ip | undefined => {
  if (text.length > 45) return undefined
  if (isIPv4(text)) return ipv4(text.split('.').map(Number))
  if (text.includes('%') || !isIPv6(text)) return undefined
  const bytes = v6Bytes(text)
  return isMapped(bytes) ? ipv4(bytes.slice(12)) : { version: 6, text: v6Text(bytes), bytes }
}

/** The address of four bytes. */
export const ipv4 = (bytes: readonly number[]): Ip => ({ version: 4, text: bytes.join('.'), bytes })

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
  // `::ffff:10.0.0.0/104` would read as a range of IPv4.
  if (ip.version === 4 && text.includes(':')) return undefined
  const full = ip.bytes.length * 8
  const bits = match[2] === undefined ? full : Number(match[2])
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

const isMapped = (bytes: readonly number[]): boolean =>
  bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff

/** Of a text that is known to be an address. By hand: ipaddr.js 2.5 takes `::1.2.3.4` for `::ffff:1.2.3.4`. */
const v6Bytes = (text: string): readonly number[] => {
  const [head = [], tail] = text.split('::').map(groups)
  if (tail === undefined) return head
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail]
}
const groups = (text: string): readonly number[] =>
  text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? group.split('.').map(Number) : twoBytes(group)))
const twoBytes = (group: string): readonly number[] => {
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first of equal ones. */
const v6Text = (bytes: readonly number[]): string => {
  const parts = Array.from({ length: 8 }, (_, at) => (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16))
  const zeros = parts.map((part, at) => (part === '0' && parts[at - 1] !== '0' ? run(parts, at) : 0))
  const longest = Math.max(...zeros)
  if (longest < 2) return parts.join(':')
  const start = zeros.indexOf(longest)
  return `${parts.slice(0, start).join(':')}::${parts.slice(start + longest).join(':')}`
}
const run = (parts: readonly string[], from: number): number => {
  const end = parts.findIndex((part, at) => at > from && part !== '0')
  return (end < 0 ? parts.length : end) - from
}
