import { endOfName, readName } from './domain-name.ts'

/** The record types that are read; any other keeps its bytes as hex. */
const types = { NS: 2, CNAME: 5, SOA: 6, TXT: 16 } as const
export type QueryType = keyof typeof types

/** `data` of NS and CNAME is the name they lead to, of SOA the primary name server, of TXT its strings put together. */
export interface DnsRecord {
  readonly name: string
  readonly type: QueryType | 'other'
  /** Seconds. */
  readonly ttl: number
  readonly data: string
}
export interface Reply {
  /** RFC 1035 section 4.1.1: 0 no error, 3 the name does not exist, 5 refused. */
  readonly rcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
}

/** Records of one section that are read; those after them are ignored. A message of 64 KiB could have 5,000. */
export const maxRecords = 512

/**
 * Reads the reply to a question: its header, the question, answers and authorities. The additional section is not read. `undefined`
 * for anything else, such as a reply with another id, to another question, or cut short. Never throws; the cost is linear.
 */
export const readReply = (message: Buffer, asked: { id: number; name: string; type: QueryType }): Reply | undefined => {
  if (message.length < 12 || message.readUInt16BE(0) !== asked.id) return undefined
  const flags = message.readUInt16BE(2)
  const [questions, answerCount, authorityCount] = [4, 6, 8].map((at) => message.readUInt16BE(at)) as [number, number, number]
  if ((flags & 0x8000) === 0 || questions > 1) return undefined
  const start = questions === 0 ? 12 : endOfQuestion(message, asked)
  if (start === undefined) return undefined
  const reply = { rcode: flags & 15, authoritative: (flags & 0x0400) !== 0, truncated: (flags & 0x0200) !== 0 }
  const answers = readSection(message, start, answerCount)
  if (!answers) return undefined
  // What stands between the last answer that was read and the authorities is not read either.
  const authorities = answerCount > maxRecords ? undefined : readSection(message, answers.end, authorityCount)
  if (answerCount <= maxRecords && !authorities) return undefined
  return { ...reply, answers: answers.records, authorities: authorities?.records ?? [] }
}

/** The texts of the TXT records of a reply. */
export const textsOf = ({ answers }: Pick<Reply, 'answers'>): readonly string[] =>
  answers.flatMap(({ type, data }) => (type === 'TXT' ? [data] : []))

const endOfQuestion = (message: Buffer, { name, type }: { name: string; type: QueryType }): number | undefined => {
  const end = endOfName(message, 12)
  if (end === undefined || end + 4 > message.length || message.readUInt16BE(end) !== types[type]) return undefined
  return readName(message, 12)?.toLowerCase() === name.toLowerCase().replace(/\.$/, '') ? end + 4 : undefined
}

const readSection = (message: Buffer, start: number, count: number) => {
  const records: DnsRecord[] = []
  let end = start
  for (let n = 0; n < Math.min(count, maxRecords); n++) {
    const fixed = endOfName(message, end)
    if (fixed === undefined || fixed + 10 > message.length) return undefined
    const from = fixed + 10
    const to = from + message.readUInt16BE(fixed + 8)
    if (to > message.length) return undefined
    const name = readName(message, end)
    const record = name === undefined ? undefined : readData(message, message.readUInt16BE(fixed), from, to)
    if (name === undefined || record === undefined) return undefined
    records.push({ name, ttl: message.readUInt32BE(fixed + 4), ...record })
    end = to
  }
  return { records, end }
}

const readData = (message: Buffer, type: number, from: number, to: number): Pick<DnsRecord, 'type' | 'data'> | undefined => {
  switch (type) {
    case types.TXT: {
      const data = readStrings(message, from, to)
      return data === undefined ? undefined : { type: 'TXT', data }
    }
    case types.NS:
    case types.CNAME:
    case types.SOA: {
      const data = readName(message, from)
      return data === undefined ? undefined : { type: type === types.NS ? 'NS' : type === types.SOA ? 'SOA' : 'CNAME', data }
    }
  }
  return { type: 'other', data: `${type} ${message.toString('hex', from, to)}` }
}

/** RFC 1035 section 3.3.14: strings, each after its length in a byte. */
const readStrings = (message: Buffer, from: number, to: number): string | undefined => {
  const parts: Buffer[] = []
  for (let at = from; at < to; ) {
    const end = at + 1 + (message[at] ?? 0)
    if (end > to) return undefined
    parts.push(message.subarray(at + 1, end))
    at = end
  }
  return Buffer.concat(parts).toString()
}
