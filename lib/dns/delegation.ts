import { type DnsLook, failureText, isAbsent } from './look.ts'
import type { DnsProblem } from './problem.ts'

/**
 * Whether questions for `_acme-challenge.<domain>` reach the name server of this gateway: the domain's zone delegates that name by an
 * NS record, and SOA, NS and TXT are answered through the delegation. `nameServer`: the host name to delegate to, by default the domain.
 */
export const checkDelegation = async (ask: DnsLook, domain: string, nameServer = domain): Promise<DnsProblem | undefined> => {
  const zone = `_acme-challenge.${domain}`
  const record = `${zone}. NS ${nameServer}.`
  const [ns, soa, txt, alias] = await Promise.all([ask.ns(zone), ask.soa(zone), ask.txt(zone), ask.cname(zone)])
  const missing = (message: string, fix = `add to the zone of ${domain}: ${record}`): DnsProblem => ({
    code: 'DELEGATION_MISSING',
    message,
    fix,
  })
  const [target] = alias.records
  // A `*` record answers for the name as well, and the records found are then those of its target.
  if (target !== undefined && target !== zone)
    return missing(`${zone} is not delegated: a CNAME record, perhaps that of *, leads from it to ${target}`)
  if (isAbsent(ns)) {
    const twice = await ask.ns(`_${zone}`)
    if (twice.records.length > 0)
      return missing(
        `the record for ${zone} was made for _${zone}: one underscore too many`,
        `replace it in the zone of ${domain} by: ${record}`,
      )
    return missing(`${zone} is not delegated: it has no NS record`)
  }
  if (ns.failure !== undefined)
    return missing(
      `${zone} is delegated to a name server that does not answer for it, or not at all: ${failureText(zone, ns.failure)}`,
      `look whether ${record} is in the zone, whether ${nameServer} points to this gateway, and whether its port 53 is reachable over UDP and TCP`,
    )
  const unanswered = [soa, txt].find((found) => found.failure !== undefined && !isAbsent(found))
  if (unanswered?.failure === undefined) return undefined
  return missing(
    `the name server of ${zone} does not answer: ${failureText(zone, unanswered.failure)}`,
    'look whether its port 53 is reachable over UDP and TCP',
  )
}
