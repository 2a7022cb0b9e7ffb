import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { isIPv6 } from 'node:net'
import type { Pair } from '../authority.ts'

export interface Place {
  /** An address of this machine. Default 127.0.0.1. */
  readonly host?: string
  /** Default: any free one. */
  readonly port?: number
  /** Ends its own side only when it wants to, and not because the other side did. */
  readonly halfOpen?: boolean
  /** Serve over TLS with this certificate. */
  readonly tls?: Pair
}
/** A server of the tests on loopback. */
export interface Backend {
  readonly port: number
  /** `ip:port`, `[ip]:port` for IPv6: the form that passthrough takes. */
  readonly address: string
  /** `http://` or `https://` and the address. */
  readonly url: string
  /** How many connections it ever took. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly connections: number
  /** Cuts every open connection, and listens on. */
  cut(): void
  /** Ends its side of every open connection, and stops once the other sides have ended theirs: they know that it is gone. */
  leave(): Promise<void>
  /** Stops listening and cuts what is open. Twice is once. */
  close(): Promise<void>
}

/** Starts the server and keeps count of its connections. */
export const listen = async (server: Server, { host = '127.0.0.1', port = 0, tls }: Place): Promise<Backend> => {
  const open = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  const address = `${isIPv6(host) ? `[${host}]` : host}:${bound}`
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    cut()
    await closed
  }
  return {
    port: bound,
    address,
    url: `${tls === undefined ? 'http' : 'https'}://${address}`,
    get accepted() {
      return accepted
    },
    get connections() {
      return open.size
    },
    cut,
    leave: async () => {
      const gone = [...open].map((socket) => once(socket, 'close'))
      for (const socket of open) socket.end()
      await Promise.all(gone)
      await close()
    },
    close,
  }
}
