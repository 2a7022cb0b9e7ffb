import { createSocket } from 'node:dgram'
import { parentPort, workerData } from 'node:worker_threads'
import packets from 'dns-packet'

const { port, name } = workerData as { port: number; name: string }

// Asks a name server every millisecond, in a thread of its own, until it is told to stop.
const socket = createSocket('udp4')
const query = packets.encode({ type: 'query', id: 0, questions: [{ type: 'TXT', name }] })
const answered = new Set<number>()
let asked = 0
let last: number | undefined
let gap = 0
socket.on('error', () => undefined)
socket.on('message', (message) => {
  const now = performance.now()
  if (last !== undefined) gap = Math.max(gap, now - last)
  last = now
  answered.add(message.readUInt16BE(0))
  if (answered.size === 1) parentPort?.postMessage('answered')
})
socket.connect(port, '127.0.0.1')
const timer = setInterval(() => {
  query.writeUInt16BE(asked % 65_536, 0)
  asked++
  socket.send(query, () => undefined)
}, 1)
parentPort?.once('message', () => {
  clearInterval(timer)
  setTimeout(() => {
    parentPort?.postMessage({ asked, unanswered: asked - answered.size, gap })
    socket.close()
  }, 500)
})
