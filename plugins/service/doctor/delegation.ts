import type { Finding } from '../../../core/index.ts'
import { ask } from '../../../lib/dns/ask.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { type DnsLook, failureText, isAbsent } from '../../../lib/dns/look.ts'
import { textsOf } from '../../../lib/dns/reply.ts'
import { codeText, delegatedTo, ownRecords, type ZoneAbove, zoneAbove } from '../../../lib/dns/zone-above.ts'
import { findSlip } from './slips.ts'

export interface Where {
  readonly look: DnsLook
  /** The node's addresses, in the spelling of RFC 5952. */
  readonly own: readonly string[]
  /** Of name servers. */
  readonly port: number
  readonly signal: AbortSignal
}

/** Whether `_acme-challenge.<domain>` leads to this node, as the zone above it has it, and what the name server there answers. */
export const checkChallengeZone = async (where: Where, domain: string): Promise<readonly Finding[]> => {
  const name = challengeOf(domain)
  const line = `${name}. NS ${domain}.`
  const above = await zoneAbove(where.look, name, where)
  const reply = 'failed' in above ? above : await above.ask(name, 'NS')
  if ('failed' in above || 'failed' in reply) {
    const why = 'failed' in above ? above.failed : 'failed' in reply ? reply.failed : ''
    const seen = `the name servers of the zone above ${name} cannot be asked: ${why}`
    const fix = `let this machine send to port ${where.port} of name servers; the zone is to have: ${line}`
    return [{ check: 'delegation', state: 'unknown', seen, fix }, await answered(where, name, [])]
  }
  const targets = delegatedTo(reply, name)
  if (targets.length === 0) return [await undelegated(above, domain, line)]
  const stands = await Promise.all(targets.map((target) => stand(where, target)))
  const wrong = stands.flatMap(({ problem }) => problem ?? [])
  const seen = `the zone ${above.zone} delegates ${name} to ${targets.join(', ')}`
  const delegation: Finding =
    wrong.length === 0
      ? { check: 'delegation', state: 'ok', seen }
      : {
          check: 'delegation',
          state: wrong.length === stands.length ? 'bad' : 'warn',
          seen: `${seen}; ${wrong.join('; ')}`,
          fix: `put this line in its place, with ${domain} at the address of this node: ${line}`,
        }
  const addresses = stands.flatMap((each) => each.addresses)
  return [delegation, await answered(where, name, addresses)]
}

const undelegated = async (above: ZoneAbove, domain: string, line: string): Promise<Finding> => {
  const name = challengeOf(domain)
  const bad = (seen: string, fix: string): Finding => ({ check: 'delegation', state: 'bad', seen, fix })
  const slip = await findSlip(above, domain)
  if (slip) return bad(`${name} is not delegated; ${slip.seen}`, `put this line in place of ${slip.rename}: ${line}`)
  const [alias] = await ownRecords(above, name, 'CNAME')
  if (alias?.type === 'CNAME')
    return bad(`${name} is an alias (CNAME) of ${alias.data}, where a CA then looks`, `put this line in its place: ${line}`)
  const texts = await ownRecords(above, name, 'TXT')
  const left = texts.length > 0 ? ', and has a TXT record that somebody wrote' : ''
  return bad(`${name} is not delegated in the zone ${above.zone}${left}`, `add to the zone: ${line}`)
}

/** Where a name server stands, and what speaks against it. */
const stand = async ({ look, own }: Where, server: string): Promise<{ addresses: readonly string[]; problem?: string }> => {
  const [a, aaaa, alias] = await Promise.all([look.a(server), look.aaaa(server), look.cname(server)])
  const addresses = [...a.records, ...aaaa.records]
  if (alias.records.length > 0)
    return { addresses, problem: `${server} is an alias (CNAME), which no NS record may lead to (RFC 2181 section 10.3)` }
  if (addresses.length === 0) return { addresses, problem: `${server} has no address` }
  if (own.length > 0 && !addresses.some((address) => own.includes(address)))
    return { addresses, problem: `${server} is at ${addresses.join(', ')}, which is not this node` }
  return { addresses }
}

/** Asks the name server behind the delegation itself, and then as a CA does, by way of a recursive one. */
const answered = async (where: Where, name: string, addresses: readonly string[]): Promise<Finding> => {
  const direct = await Promise.all(addresses.slice(0, 4).map((address) => askServer(where, name, address)))
  const txt = await where.look.txt(name)
  const recursive =
    txt.failure !== undefined && !isAbsent(txt) ? [`a CA's resolver gets nothing: ${failureText(name, txt.failure)}`] : []
  const wrong = [...direct.flatMap(({ problems }) => problems), ...recursive]
  if (wrong.length > 0)
    return {
      check: 'challenge',
      state: addresses.length > 0 ? 'bad' : 'unknown',
      seen: wrong.join('; '),
      fix: 'see in `gateway status` that the DNS provider runs, and let port 53 through to it, UDP and TCP',
    }
  const values = direct.map(({ said }) => said).join(', ')
  return { check: 'challenge', state: 'ok', seen: `${name} is answered${values && `: ${values}`}` }
}

const askServer = async ({ port, signal }: Where, name: string, host: string) => {
  const problems: string[] = []
  let said = ''
  for (const [type, over] of [
    ['SOA', 'udp'],
    ['NS', 'udp'],
    ['TXT', 'udp'],
    ['TXT', 'tcp'],
  ] as const)
    try {
      const reply = await ask({ host, port }, name, type, { over, signal })
      const missing = type !== 'TXT' && !reply.answers.some((record) => record.type === type)
      if (reply.rcode !== 0) problems.push(`${host} answers ${codeText(reply.rcode)} to ${type}`)
      else if (!reply.authoritative) problems.push(`${host} answers to ${type}, but is no authority`)
      else if (missing) problems.push(`${host} has no ${type} record`)
      else if (type === 'TXT') said = `${host} has ${count(textsOf(reply).length)} there`
    } catch (error) {
      signal.throwIfAborted()
      problems.push(`${type}: ${error instanceof Error ? error.message : String(error)}`)
      // Whoever is silent is so to each.
      break
    }
  return { problems, said }
}

const count = (values: number): string => (values === 1 ? '1 value' : `${values || 'no'} values`)
