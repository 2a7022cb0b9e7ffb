import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Answer, DecodedPacket, RecordType } from 'dns-packet'
import type { NameServer } from './name-server.ts'

export interface Asked {
  readonly over?: 'udp' | 'tcp'
  /** Milliseconds for the whole; 2,000 by default. Over UDP the question is repeated each half second. */
  readonly timeout?: number
  readonly signal?: AbortSignal
  /** Answers over UDP up to 1,232 bytes; without it up to 512. Default true. */
  readonly edns?: boolean
}
export interface Reply {
  /** RFC 1035 section 4.1.1: 0 no error, 3 the name does not exist, 5 refused. */
  readonly rcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly answers: readonly Answer[]
  readonly authorities: readonly Answer[]
}

/** Asks one name server one question, without recursion. Rejects where no answer comes in time, saying over which protocol. */
export const ask = async (server: NameServer, name: string, type: RecordType, asked: Asked = {}): Promise<Reply> => {
  const { decode, encode } = (await import('dns-packet')).default
  const { over = 'udp', timeout = 2_000, edns = true } = asked
  const id = randomInt(65_536)
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 1_232, extendedRcode: 0, ednsVersion: 0, flags: 0 } as const
  const query = encode({
    id,
    type: 'query',
    questions: [{ name, type }],
    ...(edns && { additionals: [{ ...opt, flag_do: false, options: [] }] }),
  })
  const late = AbortSignal.timeout(timeout)
  const signal = asked.signal ? AbortSignal.any([asked.signal, late]) : late
  /** The answer to this question, or `undefined` for anything else that arrives. */
  const read = (message: Buffer): Reply | undefined => {
    try {
      const packet = decode(message)
      if (packet.id !== id || !packet.flag_qr) return undefined
      const [question] = packet.questions ?? []
      if (question && (question.name.toLowerCase() !== name.toLowerCase() || question.type !== type)) return undefined
      return replyOf(packet)
    } catch {
      return undefined
    }
  }
  try {
    signal.throwIfAborted()
    return await (over === 'udp' ? askUdp : askTcp)(server, query, read, signal)
  } catch (cause) {
    asked.signal?.throwIfAborted()
    const why = late.aborted ? `no answer within ${timeout} ms` : cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${server.host} port ${server.port} over ${over.toUpperCase()}: ${why}`, { cause })
  }
}

/** The text of each TXT record of an answer, its strings put together. */
export const textsOf = ({ answers }: Pick<Reply, 'answers'>): readonly string[] =>
  answers.flatMap((answer) => (answer.type === 'TXT' ? [[answer.data].flat().map(String).join('')] : []))

/** The texts at a name over one protocol; over UDP by TCP where the answer was too long. */
export const askTexts = async (server: NameServer, name: string, asked: Asked = {}): Promise<readonly string[]> => {
  const reply = await ask(server, name, 'TXT', asked)
  return textsOf(reply.truncated && asked.over !== 'tcp' ? await ask(server, name, 'TXT', { ...asked, over: 'tcp' }) : reply)
}

const replyOf = (packet: DecodedPacket): Reply => ({
  rcode: (packet.flags ?? 0) & 15,
  authoritative: packet.flag_aa,
  truncated: packet.flag_tc,
  answers: packet.answers ?? [],
  authorities: packet.authorities ?? [],
})

type Ask = (
  server: NameServer,
  query: Buffer,
  read: (message: Buffer) => Reply | undefined,
  signal: AbortSignal,
) => Promise<Reply>

const askUdp: Ask = ({ host, port }, query, read, signal) =>
  new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const stop = () => end(() => reject(signal.reason))
    const send = () => socket.send(query, (error) => error && end(() => reject(error)))
    const again = setInterval(send, 500)
    let ended = false
    const end = (settle: () => void) => {
      if (ended) return
      ended = true
      clearInterval(again)
      signal.removeEventListener('abort', stop)
      socket.close()
      settle()
    }
    signal.addEventListener('abort', stop)
    // A refused port shows as an error of the connected socket.
    socket.on('error', (error) => end(() => reject(error)))
    socket.on('message', (message) => {
      const reply = read(message)
      if (reply) end(() => resolve(reply))
    })
    socket.connect(port, host, () => !ended && send())
  })

const askTcp: Ask = ({ host, port }, query, read, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    let got = Buffer.alloc(0)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.on('connect', () => socket.write(Buffer.concat([length, query])))
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk])
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return
      const reply = read(got.subarray(2, 2 + got.readUInt16BE(0)))
      if (reply) resolve(reply)
      else reject(new Error('an answer to another question'))
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed without an answer')))
  })
