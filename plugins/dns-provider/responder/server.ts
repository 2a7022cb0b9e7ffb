import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { clientAddress } from '../../../lib/client-address.ts'
import { Places } from '../../../lib/places.ts'
import { timeShare } from '../../../lib/time-share.ts'
import { type Allowance, answerLimit } from './limit.ts'
import { answer } from './message.ts'
import { type Answering, converse } from './tcp.ts'

export interface Where {
  readonly addresses: readonly string[]
  readonly port: number
}
export interface NameServing {
  close(): Promise<void>
}

/** Connections at once, of all and of one address (IPv6: of one /64). */
const connections = { total: 1_024, each: 256 }
/** Connections that wait to be accepted: the event loop takes all of them in one turn. */
const backlog = 128
/** Bytes of a question over UDP, as our answers name it in EDNS. Longer ones are dropped unread. */
const longest = 1_232

/** Answers for the zones over UDP and TCP on every address, or on none and rejects. */
export const serve = async ({ addresses, port }: Where, zones: Answering['zones']): Promise<NameServing> => {
  const open: { close(): Promise<unknown> }[] = []
  const close = async () => void (await Promise.all(open.splice(0).map((each) => each.close())))
  const allowance = answerLimit()
  const places = new Places<Socket>(connections)
  const answering: Answering = { zones, time: timeShare() }
  try {
    for (const address of addresses) {
      open.push(await serveUdp(address, port, answering, allowance))
      open.push(await serveTcp(address, port, answering, places))
    }
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

const serveUdp = async (host: string, port: number, { zones, time }: Answering, allowance: (from: string) => Allowance) => {
  const six = isIPv6(host)
  const socket: UdpSocket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six, recvBufferSize: 1 << 20 })
  socket.on('message', (message, from) => {
    // Port 0 cannot be answered.
    if (from.port === 0 || message.length > longest) return
    const allowed = allowance(from.address)
    if (allowed === 'none' || !time.left()) return
    time.spend(() => {
      const reply = answer(message, zones(), allowed === 'full' ? 'udp' : 'udp-spare')
      // Whom an answer cannot reach asks again.
      if (reply) socket.send(reply, from.port, from.address, () => undefined)
    })
  })
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => undefined)
  socket.bind({ port, address: host, exclusive: true })
  await Promise.race([once(socket, 'listening'), failed])
  socket.on('error', () => undefined)
  return { close: () => new Promise<void>((done) => socket.close(() => done())) }
}

const serveTcp = async (host: string, port: number, answering: Answering, places: Places<Socket>) => {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const from = clientAddress(socket.remoteAddress)
    places.take(from, socket)
    open.add(socket)
    socket.once('close', () => {
      places.release(from, socket)
      open.delete(socket)
    })
    converse(socket, answering)
  })
  server.listen({ host, port, ipv6Only: isIPv6(host), exclusive: true, backlog })
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
