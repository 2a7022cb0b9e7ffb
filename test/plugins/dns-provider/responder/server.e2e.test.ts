import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import packets from 'dns-packet'
import { expect, onTestFinished, test } from 'vitest'
import { ask } from '../../../../lib/dns/ask.ts'
import { textsOf } from '../../../../lib/dns/reply.ts'
import { serve } from '../../../../plugins/dns-provider/responder/server.ts'
import { zoneOf } from '../../../../plugins/dns-provider/responder/zone.ts'
import { freePort } from '../../../kit/index.ts'

const name = '_acme-challenge.gw.example.org'
const values = (count: number) => Array.from({ length: count }, (_, n) => `${n}`.padStart(43, 'v'))
const query = packets.encode({ type: 'query', id: 1, questions: [{ name, type: 'TXT' }] })
const framed = Buffer.concat([Buffer.of(0, query.length), query])

const start = async (count = 2) => {
  const port = await freePort()
  const zones = [zoneOf('gw.example.org', 'gw.example.org', 1, values(count))]
  const serving = await serve({ addresses: ['127.0.0.1'], port }, () => zones)
  onTestFinished(serving.close)
  const server = { host: '127.0.0.1', port }
  const texts = async (over: 'udp' | 'tcp') => textsOf(await ask(server, name, 'TXT', { over, timeout: 5_000 }))
  return { port, texts }
}
const open = async (port: number, localAddress: string): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

test('one address has its share of connections, and another keeps its own', async () => {
  const { port, texts } = await start()
  const honest = await open(port, '127.0.0.2')
  const silent: Socket[] = []
  for (let n = 0; n < 300; n++) silent.push(await open(port, '127.0.0.3'))
  const closed = silent.slice(0, 44).map((socket) => socket.closed || once(socket.resume(), 'close'))
  await Promise.all(closed)
  expect(silent.slice(44).some((socket) => socket.closed)).toBe(false)
  honest.write(framed)
  const [answer] = await once(honest, 'data')
  expect(answer.readUInt16BE(2)).toBe(1)
  expect(await texts('tcp')).toEqual(values(2))
})

test('ends a connection that does not read its answers', async () => {
  const { port, texts } = await start(500)
  const greedy = await open(port, '127.0.0.1')
  greedy.pause()
  const flood = Buffer.concat(Array.from({ length: 64 }, () => framed))
  const ended = new Promise((done) => greedy.once('close', done))
  const more = setInterval(() => greedy.writable && greedy.write(flood), 20)
  onTestFinished(() => clearInterval(more))
  await ended
  expect(await texts('tcp')).toHaveLength(500)
})

test('closes after 64 questions of one connection, all answered', async () => {
  const { port } = await start()
  const socket = await open(port, '127.0.0.1')
  let got = 0
  socket.on('data', (chunk) => {
    got += chunk.length
  })
  socket.write(Buffer.concat(Array.from({ length: 100 }, () => framed)))
  await once(socket, 'close')
  const [one] = await answerLength()
  expect(got).toBe(64 * (one ?? 0))
})
const answerLength = async (): Promise<readonly number[]> => {
  const { port } = await start()
  const socket = await open(port, '127.0.0.1')
  socket.write(framed)
  const [chunk] = await once(socket, 'data')
  return [chunk.length]
}

test('does not read a datagram that is longer than it asked for', async () => {
  const { port, texts } = await start()
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  const heard: number[] = []
  socket.on('message', (message) => heard.push(message.readUInt16BE(0)))
  const send = (message: Buffer) => new Promise((done) => socket.send(message, port, '127.0.0.1', done))
  const numbered = (id: number, size = 0) => {
    const message = Buffer.concat([query, Buffer.alloc(size)])
    message.writeUInt16BE(id, 0)
    return message
  }
  await send(numbered(2, 60_000))
  await send(numbered(3, 1_200))
  await send(numbered(4))
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([4])
  expect(await texts('udp')).toEqual(values(2))
})
