import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { clientHello } from '../../test/kit/clients/pieces.ts'

// Clients that begin and stall, in a process of their own. Arguments: kind, port, host, how many. Prints a line of JSON once all are gone.
const [kind = '', port = '', host = '', count = '0'] = process.argv.slice(2)
const hello = await clientHello(host)
const at = { port: Number(port), host: '127.0.0.1' }
const plain = async (bytes: string | Uint8Array) => {
  const socket = connect(at)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (bytes.length > 0) socket.write(bytes)
  return socket
}
const secure = async (bytes: string) => {
  const socket = connectTls({ ...at, servername: host, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  socket.write(bytes)
  return socket
}
const head = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-A: `
const begin: Readonly<Record<string, () => Promise<Socket>>> = {
  nothing: () => plain(''),
  hello: () => plain(hello.subarray(0, hello.length / 2)),
  head: () => plain(head),
  'tls-head': () => secure(head),
}

let [open, most] = [0, 0]
const lives: number[] = []
const gone: Promise<unknown>[] = []
const began = performance.now()
const waiting = Array.from({ length: Number(count) }).values()
const one = async () => {
  for (const _ of waiting) {
    const since = performance.now()
    const socket = await begin[kind]?.().catch(() => undefined)
    if (!socket) continue
    open++
    most = Math.max(most, open)
    gone.push(
      new Promise<void>((done) =>
        socket.resume().once('close', () => {
          open--
          lives.push(performance.now() - since)
          done()
        }),
      ),
    )
    // A byte now and then, as who wants to be taken for slow sends it.
    const trickle = setInterval(() => socket.writable && kind.endsWith('head') && socket.write('x'), 2_000)
    socket.once('close', () => clearInterval(trickle))
  }
}
await Promise.all(Array.from({ length: 20 }, one))
const opened = performance.now() - began
await Promise.race([Promise.all(gone), wait(120_000, undefined, { ref: false })])
console.log(JSON.stringify({ most, opened, left: open, longest: Math.max(...lives) }))
process.exit(0)
