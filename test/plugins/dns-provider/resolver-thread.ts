import { once } from 'node:events'
import { createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import packets from 'dns-packet'
import { ask, type Reply } from '../../../lib/dns/ask.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'

// The thread of resolver.ts.
const { server, zones } = workerData as { server: NameServer; zones: readonly string[] }

const resolve = async (query: Buffer): Promise<Buffer> => {
  const { id = 0, questions = [] } = packets.decode(query)
  const [question] = questions
  const name = question?.name.toLowerCase() ?? ''
  const reply = zones.includes(name) ? await persistently(name, question?.type ?? 'TXT') : undefined
  const flags = packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (reply?.rcode ?? (zones.includes(name) ? 2 : 3))
  return packets.streamEncode({ type: 'response', id, flags, questions, answers: [...(reply?.answers ?? [])] })
}
const persistently = async (name: string, type: packets.RecordType): Promise<Reply | undefined> => {
  const late = Date.now() + 10_000
  for (let over: 'udp' | 'tcp' = 'udp'; Date.now() < late; ) {
    const reply = await ask(server, name, type, { over, timeout: 600 }).catch(() => undefined)
    if (reply && !reply.truncated) return reply
    if (reply) over = 'tcp'
    else await new Promise((done) => setTimeout(done, 50))
  }
  return undefined
}

const front = createServer((socket) => {
  let got = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.on('data', async (chunk) => {
    got = Buffer.concat([got, chunk])
    if (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) socket.end(await resolve(got.subarray(2)))
  })
})
front.listen(0, '127.0.0.1')
await once(front, 'listening')
const bound = front.address()
parentPort?.postMessage(typeof bound === 'object' && bound ? bound.port : 0)
