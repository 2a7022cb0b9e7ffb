import { canonicalHost } from '../host.ts'
import { type Ip, parseIp } from '../ip.ts'
import { shown } from '../shown.ts'
import { fields } from './answers.ts'

interface PublicConfig {
  readonly ipv4?: string
  readonly ipv6?: string
  readonly domain?: string
}

/**
 * Reads what networkd answers to GetPublicConfig: `{IPv4: {IP, Mask}, IPv6: {IP, Mask}, Domain, ...}`, addresses as 4 or 16 bytes (an IPv4
 * address in its IPv6 form too), nil where there is none. Returns a sentence where it is something else.
 */
export const readPublicConfig = (value: unknown): PublicConfig | string => {
  const given = fields(value)
  if (!given || Array.isArray(value) || !given.has('IPv4')) return 'it is no public config'
  const ipv4 = address(given.get('IPv4'), 4)
  const ipv6 = address(given.get('IPv6'), 6)
  if (typeof ipv4 === 'string') return `its IPv4 address is ${ipv4}`
  if (typeof ipv6 === 'string') return `its IPv6 address is ${ipv6}`
  const said = given.get('Domain') ?? ''
  const domain = typeof said === 'string' ? said && canonicalHost(said) : undefined
  if (domain === undefined) return `its domain is '${shown(String(said))}', which is no host name`
  return Object.freeze({ ...(ipv4 && { ipv4: ipv4.text }), ...(ipv6 && { ipv6: ipv6.text }), ...(domain && { domain }) })
}

/** Whether networkd refuses since there is none, as against an error of its own, such as of an interface that is being made. */
export const saysNone = (refused: string): boolean => /\bno public config/i.test(refused)

const address = (net: unknown, version: 4 | 6): Ip | string | undefined => {
  const bytes = fields(net)?.get('IP') ?? undefined
  if (bytes === undefined) return undefined
  if (!(bytes instanceof Uint8Array)) return 'no list of bytes'
  if (bytes.length === 0) return undefined
  const ip = parseIp(bytes.length === 4 ? bytes.join('.') : groups(bytes))
  return ip?.version === version ? ip : `${bytes.length} bytes that are no IPv${version} address`
}

const groups = (bytes: Uint8Array): string =>
  Array.from({ length: bytes.length / 2 }, (_, at) => (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16)).join(
    ':',
  )
