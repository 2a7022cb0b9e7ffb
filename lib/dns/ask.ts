import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { exchange } from './exchange.ts'
import type { NameServer } from './name-server.ts'
import { type QueryType, type Reply, readReply, textsOf } from './reply.ts'

export interface Asked {
  readonly over?: 'udp' | 'tcp'
  /** Milliseconds for the whole; 2,000 by default. Over UDP the question is repeated each half second. */
  readonly timeout?: number
  readonly signal?: AbortSignal
  /** Answers over UDP up to 1,232 bytes; without it up to 512. Default true. */
  readonly edns?: boolean
}

/** Bytes of an answer over UDP: what the question offers to take. Longer ones are ignored. */
const udpSize = 1_232
/** Datagrams that are no answer to the question, until the question is given up. */
const maxStrays = 100

/** Asks one name server one question, without recursion. Rejects where no answer comes in time, saying over which protocol. */
export const ask = async (server: NameServer, name: string, type: QueryType, asked: Asked = {}): Promise<Reply> => {
  const { encode } = (await import('dns-packet')).default
  const { over = 'udp', timeout = 2_000, edns = true } = asked
  const id = randomInt(65_536)
  const opt = { type: 'OPT', name: '.', udpPayloadSize: udpSize, extendedRcode: 0, ednsVersion: 0, flags: 0 } as const
  const query = encode({
    id,
    type: 'query',
    questions: [{ name, type }],
    ...(edns && { additionals: [{ ...opt, flag_do: false, options: [] }] }),
  })
  const late = AbortSignal.timeout(timeout)
  const signal = asked.signal ? AbortSignal.any([asked.signal, late]) : late
  /** The answer to this question, or `undefined` for anything else that arrives. */
  const read = (message: Buffer): Reply | undefined => readReply(message, { id, name, type })
  try {
    signal.throwIfAborted()
    return await (over === 'udp' ? askUdp : askTcp)(server, query, read, signal)
  } catch (cause) {
    asked.signal?.throwIfAborted()
    const why = late.aborted ? `no answer within ${timeout} ms` : cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${server.host} port ${server.port} over ${over.toUpperCase()}: ${why}`, { cause })
  }
}

/** The texts at a name over one protocol; over UDP by TCP where the answer was too long. */
export const askTexts = async (server: NameServer, name: string, asked: Asked = {}): Promise<readonly string[]> => {
  const reply = await ask(server, name, 'TXT', asked)
  return textsOf(reply.truncated && asked.over !== 'tcp' ? await ask(server, name, 'TXT', { ...asked, over: 'tcp' }) : reply)
}

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
    let again: NodeJS.Timeout | undefined
    let strays = 0
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
      const reply = message.length > udpSize ? undefined : read(message)
      if (reply) end(() => resolve(reply))
      else if (++strays > maxStrays) end(() => reject(new Error('answers to other questions')))
    })
    try {
      socket.connect(port, host, () => {
        if (ended) return
        again = setInterval(send, 500)
        send()
      })
    } catch (error) {
      end(() => reject(error))
    }
  })

const askTcp: Ask = async (server, query, read, signal) => {
  const reply = read(await exchange(server, query, signal))
  if (!reply) throw new Error('an answer to another question')
  return reply
}
