import { parseIp } from '../ip.ts'
import { withoutSynthesized } from './dns64.ts'
import { type DnsLook, failureText, isAbsent } from './look.ts'
import type { DnsProblem } from './problem.ts'

/**
 * Whether a CA that connects to the name comes here: an A or AAAA record is one of `here`, and, where this node has no IPv6 address
 * of those, none is AAAA, which a CA tries first.
 */
export const checkPointsHere = async (
  ask: DnsLook,
  host: string,
  here: { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined },
): Promise<DnsProblem | undefined> => {
  const [ipv4, ipv6] = [canonical(here.ipv4), canonical(here.ipv6)]
  const add = [ipv4 && `${host}. A ${ipv4}`, ipv6 && `${host}. AAAA ${ipv6}`].filter(Boolean).join(' or ')
  if (!add) return undefined
  const [a, aaaa] = await Promise.all([ask.a(host), ask.aaaa(host)])
  const failed = [a, aaaa].find((found) => found.failure !== undefined && !isAbsent(found))
  const seen4 = a.records.map((text) => canonical(text) ?? text)
  const foreign = aaaa.records.some((text) => canonical(text) !== ipv6)
  const seen6 = (foreign ? await withoutSynthesized(ask, a.records, aaaa.records) : aaaa.records).map(
    (text) => canonical(text) ?? text,
  )
  if (seen4.length + seen6.length === 0) {
    if (failed?.failure)
      return { code: 'DNS_FAILED', message: failureText(host, failed.failure), fix: `look at the name servers of ${host}` }
    const message = a.failure === 'NXDOMAIN' ? failureText(host, 'NXDOMAIN') : `${host} has neither an A nor an AAAA record`
    return { code: 'DNS_MISMATCH', message, fix: `add to its zone: ${add}` }
  }
  const elsewhere = seen6.find((text) => text !== ipv6)
  if (elsewhere !== undefined)
    return {
      code: 'DNS_MISMATCH',
      message: `${host} has the IPv6 address ${elsewhere}, which is not this gateway's and which a CA tries first`,
      fix: ipv6 ? `replace it in its zone by: ${host}. AAAA ${ipv6}` : `take the AAAA record of ${host} out of its zone`,
    }
  if (seen6.length > 0 || seen4.some((text) => text === ipv4)) return undefined
  return {
    code: 'DNS_MISMATCH',
    message: `${host} points to ${seen4.slice(0, 8).join(', ')}, not to this gateway`,
    fix: `replace it in its zone by: ${add}`,
  }
}

const canonical = (text: string | undefined): string | undefined => (text === undefined ? undefined : parseIp(text)?.text)
