import { randomBytes } from 'node:crypto'
import { ask } from './ask.ts'
import { type DnsLook, failureText } from './look.ts'
import type { DnsRecord, QueryType, Reply } from './reply.ts'

/** The zone in which a name's own records, and its delegation, are written, and its name servers. */
export interface ZoneAbove {
  readonly zone: string
  /** Asks its name servers, one after the other, until one knows. */
  ask(name: string, type: QueryType): Promise<Reply | { readonly failed: string }>
}
export interface ZoneOptions {
  /** Of name servers; 53 by default. */
  readonly port?: number
  readonly signal: AbortSignal
}

/** Finds the closest ancestor of a name that has name servers of its own. Only those tell a delegation from a `*` record. */
export const zoneAbove = async (
  look: DnsLook,
  name: string,
  options: ZoneOptions,
): Promise<ZoneAbove | { readonly failed: string }> => {
  let failed = `no zone above ${name} was found`
  for (const zone of ancestors(name)) {
    const [ns, alias] = await Promise.all([look.ns(zone), look.cname(zone)])
    if (ns.failure !== undefined) failed = failureText(zone, ns.failure)
    if (ns.records.length === 0 || alias.records.length > 0) continue
    const each = ns.records.slice(0, 4).map(async (server) => {
      const both = await Promise.all([look.a(server), look.aaaa(server)])
      return both.flatMap(({ records }) => records)
    })
    const addresses = (await Promise.all(each)).flat().slice(0, 6)
    return { zone, ask: (at, type) => askAny(addresses, at, type, options) }
  }
  return { failed }
}

const askAny = async (addresses: readonly string[], name: string, type: QueryType, { port = 53, signal }: ZoneOptions) => {
  let failed = 'its name servers have no address'
  for (const host of addresses) {
    try {
      const reply = await ask({ host, port }, name, type, { signal })
      if (reply.rcode === 0 || reply.rcode === 3) return reply
      failed = `${host} answers ${codeText(reply.rcode)}`
    } catch (error) {
      signal.throwIfAborted()
      failed = error instanceof Error ? error.message : String(error)
    }
  }
  return { failed }
}

/** RFC 1035 section 4.1.1 in the words of dig. */
export const codeText = (rcode: number): string =>
  ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'][rcode] ?? `code ${rcode}`

/** Whom the servers above name for the name: a referral's NS records, or the zone's own where one server has both. */
export const delegatedTo = ({ answers, authorities }: Reply, name: string): readonly string[] => [
  ...new Set(
    [...answers, ...authorities].flatMap((record) =>
      record.type === 'NS' && same(record.name, name) ? [record.data.toLowerCase().replace(/\.$/, '')] : [],
    ),
  ),
]

/** Records that stand at exactly this name, and do not come from a `*` of the zone. */
export const ownRecords = async (above: ZoneAbove, name: string, type: QueryType): Promise<readonly DnsRecord[]> => {
  const reply = await above.ask(name, type)
  const found = 'failed' in reply ? [] : reply.answers.filter((record) => same(record.name, name))
  if (found.length === 0) return []
  const beside = `x${randomBytes(8).toString('hex')}${name.slice(name.indexOf('.'))}`
  const wild = await above.ask(beside, type)
  const others = 'failed' in wild ? [] : wild.answers.filter((record) => same(record.name, beside)).map(dataOf)
  return found.filter((record) => !others.includes(dataOf(record)))
}

const dataOf = ({ type, data }: DnsRecord): string => `${type} ${data}`
const same = (a: string, b: string): boolean => a.toLowerCase().replace(/\.$/, '') === b.toLowerCase()

/** `b.c` and `c` of `a.b.c`. */
const ancestors = (name: string): readonly string[] => {
  const labels = name.split('.')
  return labels.slice(1).map((_, at) => labels.slice(at + 1).join('.'))
}
