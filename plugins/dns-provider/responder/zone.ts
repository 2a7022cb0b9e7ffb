import type { Answer } from 'dns-packet'
import { challengeOf } from '../../../lib/dns/challenge.ts'

/** One delegated challenge zone: its top is the only name in it. */
export interface Zone {
  /** `_acme-challenge.<domain>`, canonical. */
  readonly apex: string
  /** The name server that the delegation names. */
  readonly nameServer: string
  readonly serial: number
  readonly values: readonly string[]
}
export const zoneOf = (domain: string, nameServer: string, serial: number, values: readonly string[]): Zone => ({
  apex: challengeOf(domain),
  nameServer,
  serial,
  values,
})

export interface Question {
  /** As it was asked, any case; without a trailing dot. */
  readonly name: string
  readonly type: string
  readonly class: string
}
export interface Said {
  readonly rcode: 0 | 3 | 5
  readonly authoritative: boolean
  readonly answers: readonly Answer[]
  readonly authorities: readonly Answer[]
}

/** What the zones say to a question (RFC 1035 section 3.3, RFC 2308 sections 2 and 3). Owner names keep the case of the question. */
export const answerOf = (zones: readonly Zone[], question: Question): Said => {
  const name = question.name.toLowerCase()
  const zone = zones.find(({ apex }) => name === apex || name.endsWith(`.${apex}`))
  if (!zone || question.class !== 'IN' || transfers.has(question.type)) return refused
  const owner = question.name.slice(-zone.apex.length)
  const said = (rcode: 0 | 3, answers: readonly Answer[]): Said => ({
    rcode,
    authoritative: true,
    answers,
    authorities: answers.length > 0 ? [] : [soa(zone, owner)],
  })
  return name === zone.apex ? said(0, records(zone, question.type, owner)) : said(3, [])
}

const records = (zone: Zone, type: string, name: string): readonly Answer[] => {
  switch (type) {
    case 'TXT':
      return zone.values.map((data) => ({ type, name, ttl: short, data }))
    case 'SOA':
      return [soa(zone, name)]
    case 'NS':
      return [{ type, name, ttl: 3_600, data: zone.nameServer }]
    case 'ANY':
      // RFC 8482 section 4.2: a small answer instead of everything.
      return [{ type: 'HINFO', name, ttl: 3_600, data: { cpu: 'RFC8482', os: '' } }]
  }
  return []
}

/** Seconds that a value, or that there is none, may be kept by those who asked. */
const short = 1
const soa = ({ nameServer, serial }: Zone, name: string): Answer => ({
  type: 'SOA',
  name,
  ttl: short,
  data: {
    mname: nameServer,
    rname: `hostmaster.${nameServer}`,
    serial,
    refresh: 3_600,
    retry: 600,
    expire: 86_400,
    minimum: short,
  },
})

const transfers = new Set(['AXFR', 'IXFR'])
const refused: Said = { rcode: 5, authoritative: false, answers: [], authorities: [] }
