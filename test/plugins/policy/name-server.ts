import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { parseIp } from '../../../lib/ip.ts'

type Answer = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence' | 'cname-loop'
/** What is said of a name: addresses of both families (`[]`: the name is there without any), a failure, nothing at all, or each family's own. */
export type Said = Answer | { readonly a: Answer; readonly aaaa: Answer }
export interface NameServer {
  readonly address: string
  /** Names that were asked for, lower case. */
  readonly asked: readonly string[]
  close(): void
}

/** A name server on a loopback port (RFC 1035 section 4) that says what it is told to. A name it does not know does not exist. */
export const nameServer = async (said: Readonly<Record<string, Said>>): Promise<NameServer> => {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = question(query)
    asked.push(name)
    const entry = said[name] ?? 'NXDOMAIN'
    const about = typeof entry === 'object' && 'a' in entry ? entry[type === types.a ? 'a' : 'aaaa'] : entry
    if (about === 'silence') return
    socket.send(reply(query.subarray(0, end), about, type), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() }
}

const question = (query: Buffer) => {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += length + 1
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 }
}

const codes = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const
const types = { a: 1, cname: 5, aaaa: 28 } as const

const reply = (query: Buffer, about: Exclude<Answer, 'silence'>, type: number): Buffer => {
  const records =
    typeof about === 'string'
      ? []
      : about.flatMap((text) => parseIp(text) ?? []).filter(({ version }) => type === (version === 4 ? types.a : types.aaaa))
  const answers =
    about === 'cname-loop'
      ? [record(types.cname, Buffer.from([0xc0, 12]))]
      : records.map(({ bytes }) => record(type, Buffer.from(bytes)))
  const code = about === 'NXDOMAIN' || about === 'SERVFAIL' || about === 'REFUSED' ? codes[about] : 0
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(0x8580 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(answers.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, query.subarray(12), ...answers])
}
/** Of the name that was asked for, to live a second. */
const record = (type: number, data: Buffer): Buffer => {
  const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length])
  return Buffer.concat([fixed, data])
}
