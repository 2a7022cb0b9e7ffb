import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import packets from 'dns-packet'
import { ask, type Reply } from '../../../lib/dns/ask.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'

/**
 * A resolver as a CA has them: it asks the name server of the delegated zones over UDP, over TCP where the answer was cut, again where
 * none came (Unbound does so for seconds), and keeps nothing. TCP on 127.0.0.1, which is what Pebble asks by; other names do not exist.
 */
export const startResolver = async (server: NameServer, zones: readonly string[]) => {
  const open = new Set<Socket>()
  const resolve = async (query: Buffer): Promise<Buffer> => {
    const { id = 0, questions = [] } = packets.decode(query)
    const [question] = questions
    const name = question?.name.toLowerCase() ?? ''
    const reply = zones.includes(name) ? await persistently(server, name, question?.type ?? 'TXT') : undefined
    const flags = packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (reply?.rcode ?? (zones.includes(name) ? 2 : 3))
    return packets.streamEncode({ type: 'response', id, flags, questions, answers: [...(reply?.answers ?? [])] })
  }
  const front = createServer((socket) => {
    open.add(socket)
    let got = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
    socket.on('data', async (chunk) => {
      got = Buffer.concat([got, chunk])
      if (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) socket.end(await resolve(got.subarray(2)))
    })
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const bound = front.address()
  return {
    address: `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`,
    close: async () => {
      for (const socket of open) socket.destroy()
      front.close()
      await once(front, 'close')
    },
  }
}

const persistently = async (server: NameServer, name: string, type: packets.RecordType): Promise<Reply | undefined> => {
  const late = Date.now() + 10_000
  for (let over: 'udp' | 'tcp' = 'udp'; Date.now() < late; ) {
    const reply = await ask(server, name, type, { over, timeout: 1_500 }).catch(() => undefined)
    if (reply && !reply.truncated) return reply
    if (reply) over = 'tcp'
    else await new Promise((done) => setTimeout(done, 50))
  }
  return undefined
}
