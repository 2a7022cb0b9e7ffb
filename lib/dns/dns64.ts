import { type Ip, parseIp } from '../ip.ts'
import type { DnsLook } from './look.ts'

/** The well-known prefix 64:ff9b::/96 (RFC 6052 section 2.1). */
const wellKnown: readonly number[] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
/** The addresses of ipv4only.arpa (RFC 7050 section 3). */
const ipv4Only: ReadonlySet<string> = new Set(['192.0.0.170', '192.0.0.171'])

/**
 * The AAAA records without those that a resolver of this network made of the A records (DNS64, RFC 6147): a CA sees none of them. What its
 * prefix is it is asked only where an address could be one.
 */
export const withoutSynthesized = async (
  look: DnsLook,
  a: readonly string[],
  aaaa: readonly string[],
): Promise<readonly string[]> => {
  const own = new Set(a.flatMap((text) => parseIp(text)?.text ?? []))
  const suspected = aaaa.some((text) => [...embedded(text)].some(({ ipv4 }) => own.has(ipv4)))
  if (!suspected) return aaaa
  const prefixes = new Set([wellKnown.join()])
  for (const text of (await look.aaaa('ipv4only.arpa')).records)
    for (const { prefix, ipv4 } of embedded(text)) if (ipv4Only.has(ipv4)) prefixes.add(prefix)
  return aaaa.filter((text) => ![...embedded(text)].some(({ prefix, ipv4 }) => own.has(ipv4) && prefixes.has(prefix)))
}

/** The IPv4 address that an IPv6 address holds by each length of prefix (RFC 6052 section 2.2); bits 64 to 71 are skipped. */
function* embedded(text: string): Generator<{ readonly prefix: string; readonly ipv4: string }> {
  const ip: Ip | undefined = parseIp(text)
  if (ip?.version !== 6) return
  for (const length of [4, 5, 6, 7, 8, 12]) {
    const rest = ip.bytes.slice(length)
    if (length < 8) rest.splice(8 - length, 1)
    if (length === 8) rest.shift()
    yield { prefix: ip.bytes.slice(0, length).join(), ipv4: rest.slice(0, 4).join('.') }
  }
}
