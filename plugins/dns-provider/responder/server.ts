import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { answerLimit } from './limit.ts'
import { answer } from './message.ts'
import type { Zone } from './zone.ts'

export interface Where {
  readonly addresses: readonly string[]
  readonly port: number
}
export interface NameServing {
  close(): Promise<void>
}

const connections = 512
const idle = 10_000
const longest = 4_096

/** Answers for the zones over UDP and TCP on every address, or on none and rejects. */
export const serve = async ({ addresses, port }: Where, zones: () => readonly Zone[]): Promise<NameServing> => {
  const open: { close(): Promise<unknown> }[] = []
  const close = async () => void (await Promise.all(open.splice(0).map((each) => each.close())))
  const mayHave = answerLimit()
  try {
    for (const address of addresses) {
      open.push(await serveUdp(address, port, zones, mayHave))
      open.push(await serveTcp(address, port, zones))
    }
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

const serveUdp = async (host: string, port: number, zones: () => readonly Zone[], mayHave: (from: string) => boolean) => {
  const six = isIPv6(host)
  const socket: UdpSocket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six, recvBufferSize: 1 << 20 })
  socket.on('message', (message, from) => {
    // Port 0 cannot be answered.
    if (from.port === 0) return
    const reply = answer(message, zones(), mayHave(from.address) ? 'udp' : 'udp-spare')
    // Whom an answer cannot reach asks again.
    if (reply) socket.send(reply, from.port, from.address, () => undefined)
  })
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => undefined)
  socket.bind({ port, address: host, exclusive: true })
  await Promise.race([once(socket, 'listening'), failed])
  socket.on('error', () => undefined)
  return { close: () => new Promise<void>((done) => socket.close(() => done())) }
}

const serveTcp = async (host: string, port: number, zones: () => readonly Zone[]) => {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    // The one that is open longest makes room.
    const [oldest] = open
    if (open.size >= connections) oldest?.destroy()
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    converse(socket, zones)
  })
  server.listen({ host, port, ipv6Only: isIPv6(host), exclusive: true })
  await once(server, 'listening')
  server.on('error', () => undefined)
  return {
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** Questions one after another, each behind its length in two bytes (RFC 7766). */
const converse = (socket: Socket, zones: () => readonly Zone[]): void => {
  let got = Buffer.alloc(0)
  // From the connection's start: who sends a byte now and then holds no place longer.
  const late = setTimeout(() => socket.destroy(), 3 * idle)
  const answerAll = (): void => {
    while (!socket.writableNeedDrain && !socket.destroyed && got.length >= 2) {
      const length = got.readUInt16BE(0)
      if (length > longest) return void socket.destroy()
      if (got.length < 2 + length) return
      const reply = answer(got.subarray(2, 2 + length), zones(), 'tcp')
      got = got.subarray(2 + length)
      if (!reply) return void socket.destroy()
      const before = Buffer.alloc(2)
      before.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([before, reply]))
    }
    // Nothing more is read from one that does not take its answers.
    if (socket.writableNeedDrain) socket.pause()
    else socket.resume()
  }
  socket.once('close', () => clearTimeout(late))
  socket.setTimeout(idle, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.on('drain', answerAll)
  socket.on('data', (chunk) => {
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk])
    answerAll()
  })
}
