import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import packet from 'dns-packet'

/** Answers TXT questions for the names that it has values of, over UDP and TCP, and refuses all others. */
export interface NameServer {
  /** It answers with the value when this returns. Twice is once. */
  add(name: string, value: string): void
  remove(name: string, value: string): void
  close(): Promise<void>
}

export const startNameServer = async ({ host, port }: { host: string; port: number }): Promise<NameServer> => {
  const zone = new Map<string, Set<string>>()
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  udp.on('message', (message, from) => {
    const answer = answerTo(message, zone)
    // What is too long for one datagram is asked for again over TCP.
    if (answer) udp.send(answer.length > 1_232 ? cut(message) : answer, from.port, from.address)
  })
  const open = new Set<Socket>()
  const tcp = createServer((socket) => {
    open.add(socket)
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
    let held = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        const answer = answerTo(held.subarray(2, end), zone)
        if (answer) socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 255), answer]))
        held = held.subarray(end)
      }
    })
  })
  udp.bind(port, host)
  tcp.listen(port, host)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return {
    add: (name, value) => void zone.set(name, new Set([...(zone.get(name) ?? []), value])),
    remove: (name, value) => void zone.get(name)?.delete(value),
    close: async () => {
      for (const socket of open) socket.destroy()
      const closed = [once(udp, 'close'), once(tcp, 'close')]
      udp.close()
      tcp.close()
      await Promise.all(closed)
    },
  }
}

const authoritative = 0x0400
const truncated = 0x0200
const refused = 5

/** Nothing for what is no question. */
const answerTo = (message: Buffer, zone: ReadonlyMap<string, ReadonlySet<string>>): Buffer | undefined => {
  const asked = questionIn(message)
  if (!asked) return undefined
  const { id, question } = asked
  const values = zone.get(question.name.toLowerCase())
  const texts = question.type === 'TXT' ? [...(values ?? [])] : []
  return packet.encode({
    type: 'response',
    id,
    flags: authoritative | (values ? 0 : refused),
    questions: [question],
    answers: texts.map((data) => ({ type: 'TXT', name: question.name, ttl: 1, data })),
  })
}

const cut = (message: Buffer): Buffer => {
  const asked = questionIn(message)
  return packet.encode({
    type: 'response',
    id: asked?.id ?? 0,
    flags: authoritative | truncated,
    questions: asked ? [asked.question] : [],
  })
}

const questionIn = (message: Buffer) => {
  try {
    const { id = 0, type, questions } = packet.decode(message)
    const question = type === 'query' ? questions?.[0] : undefined
    return question && { id, question }
  } catch {
    return undefined
  }
}
