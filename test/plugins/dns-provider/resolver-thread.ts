import { once } from 'node:events'
import { createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import packets from 'dns-packet'
import { exchange } from '../../../lib/dns/exchange.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'

// The thread of resolver.ts.
const { server, zones } = workerData as { server: NameServer; zones: readonly string[] }

const resolve = async (query: Buffer): Promise<Buffer> => {
  const { id = 0, questions = [] } = packets.decode(query)
  const [question] = questions
  const name = question?.name.toLowerCase() ?? ''
  const reply = zones.includes(name) ? await persistently(query) : undefined
  if (reply) return withLength(reply)
  const flags = packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (zones.includes(name) ? 2 : 3)
  return packets.streamEncode({ type: 'response', id, flags, questions, answers: [] })
}
const withLength = (message: Buffer): Buffer => Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message])
const persistently = async (query: Buffer): Promise<Buffer | undefined> => {
  for (const late = Date.now() + 10_000; Date.now() < late; ) {
    const reply = await exchange(server, query, AbortSignal.timeout(600)).catch(() => undefined)
    if (reply) return reply
    await new Promise((done) => setTimeout(done, 50))
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
