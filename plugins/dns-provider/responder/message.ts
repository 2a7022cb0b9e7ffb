import type { Answer } from 'dns-packet'
import packets from 'dns-packet'
import { endOfName } from '../../../lib/dns/domain-name.ts'
import { answerOf, type Said, type Zone } from './zone.ts'

/** Bytes of an answer over UDP that no path cuts in pieces (DNS flag day 2020). */
const udpLimit = 1_232
const head = 12
const format = 1
const notImplemented = 4

/** How an answer travels; `spare` false asks for one without records, to be asked again over TCP. */
export type Way = 'tcp' | 'udp' | 'udp-spare'

/**
 * The answer to a message, or `undefined` where silence is right: it is an answer itself or too short to have an id. The question goes
 * back byte for byte, so the case that a resolver mixed into it is kept. Whatever the bytes are, this does not throw.
 */
export const answer = (message: Buffer, zones: readonly Zone[], way: Way): Buffer | undefined => {
  if (message.length < head || (message.readUInt8(2) & 0x80) !== 0) return undefined
  const opcode = (message.readUInt8(2) >> 3) & 15
  if (opcode !== 0) return reply(message, none, { rcode: notImplemented })
  const question = readQuestion(message)
  if (!question) return reply(message, none, { rcode: format })
  const edns = readOpt(message, head + question.bytes.length)
  if (edns === 'malformed') return reply(message, question.bytes, { rcode: format })
  if (edns && edns.version !== 0) return reply(message, question.bytes, { rcode: 0, edns: { extendedRcode: 1 } })
  const said = answerOf(zones, question)
  const opt = edns && { edns: { extendedRcode: 0 } }
  const whole = reply(message, question.bytes, { ...said, ...opt })
  const limit = way === 'tcp' ? 65_535 : Math.min(udpLimit, Math.max(512, edns?.payloadSize ?? 512))
  const spare = way === 'udp-spare' && said.rcode !== 5
  if (whole.length <= limit && !spare) return whole
  return reply(message, question.bytes, { rcode: said.rcode, authoritative: said.authoritative, truncated: true, ...opt })
}

interface Content extends Partial<Omit<Said, 'rcode'>> {
  readonly rcode: number
  readonly truncated?: boolean
  readonly edns?: { readonly extendedRcode: number }
}
const none = Buffer.alloc(0)

/** Header, the question as it came, and the records, whose names are written without pointers. */
const reply = (message: Buffer, question: Buffer, content: Content): Buffer => {
  const { rcode, authoritative, truncated, answers = [], authorities = [], edns } = content
  const asked = message.readUInt16BE(2)
  // Kept of the question: opcode, recursion desired, checking disabled.
  const flags =
    (asked & 0x7910) | (authoritative ? packets.AUTHORITATIVE_ANSWER : 0) | (truncated ? packets.TRUNCATED_RESPONSE : 0) | rcode
  const packet = packets.encode({
    type: 'response',
    id: message.readUInt16BE(0),
    flags,
    answers: [...answers],
    authorities: [...authorities],
    additionals: edns ? [optOf(edns.extendedRcode)] : [],
  })
  if (question.length > 0) packet.writeUInt16BE(1, 4)
  return Buffer.concat([packet.subarray(0, head), question, packet.subarray(head)])
}

const optOf = (extendedRcode: number): Answer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: udpLimit,
  extendedRcode,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
})

interface Read {
  readonly name: string
  readonly type: string
  readonly class: string
  readonly bytes: Buffer
}

/** The one question of a query (RFC 9619), its name by one character a byte; `undefined` where it is not one whole question. */
const readQuestion = (message: Buffer): Read | undefined => {
  const counts = [4, 6, 8].map((at) => message.readUInt16BE(at))
  if (counts[0] !== 1 || counts[1] !== 0 || counts[2] !== 0) return undefined
  const labels: string[] = []
  let at = head
  for (;;) {
    const length = message[at]
    // Nothing stands before the first name that a pointer could point to.
    if (length === undefined || length > 63 || at + length - head > 254) return undefined
    at += 1 + length
    if (length === 0) break
    // A dot within a label is no border of labels.
    labels.push(message.toString('latin1', at - length, at).replaceAll('.', '\\.'))
  }
  if (at + 4 > message.length) return undefined
  const type = typeNames.get(message.readUInt16BE(at)) ?? 'other'
  const inClass = message.readUInt16BE(at + 2) === 1 ? 'IN' : 'other'
  return { name: labels.join('.'), type, class: inClass, bytes: message.subarray(head, at + 4) }
}
const typeNames: ReadonlyMap<number, string> = new Map([
  [2, 'NS'],
  [6, 'SOA'],
  [16, 'TXT'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
])

const [optType, maxAdditionals] = [41, 8]

interface Opt {
  readonly version: number
  readonly payloadSize: number
}
/**
 * The fixed fields of the OPT record of a query, if it has one (RFC 6891 section 6.1.1). `at`: where the records begin. No data of a record
 * is read, so whoever sends it chooses no cost.
 */
const readOpt = (message: Buffer, at: number): Opt | undefined | 'malformed' => {
  const count = message.readUInt16BE(10)
  if (count > maxAdditionals) return 'malformed'
  let opt: Opt | undefined
  let next = at
  for (let n = 0; n < count; n++) {
    const fixed = endOfName(message, next)
    if (fixed === undefined || fixed + 10 > message.length) return 'malformed'
    if (message.readUInt16BE(fixed) === optType) {
      // Its name is the root.
      if (opt || fixed !== next + 1) return 'malformed'
      opt = { version: message.readUInt8(fixed + 5), payloadSize: message.readUInt16BE(fixed + 2) }
    }
    next = fixed + 10 + message.readUInt16BE(fixed + 8)
    if (next > message.length) return 'malformed'
  }
  return opt
}
