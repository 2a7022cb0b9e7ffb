import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type Http1, http1 } from '../clients/h1.ts'
import { type Backend, listen, type Place } from './listen.ts'

/** A server of bytes: every connection (after TLS, where there is a certificate) is the callback's. */
export const rawBackend = async (connected: (connection: Http1) => unknown, where: Place = {}): Promise<Backend> => {
  const server = where.tls
    ? createTlsServer({ cert: where.tls.chain, key: where.tls.key })
    : createServer({ noDelay: true, allowHalfOpen: where.halfOpen ?? false })
  server.on(where.tls ? 'secureConnection' : 'connection', async (socket: Socket) => {
    socket.on('error', () => undefined)
    try {
      await connected(http1(socket))
    } catch {
      socket.destroy()
    }
  })
  return listen(server, where)
}

/** Reads one request head, up to its empty line. */
export const readHead = async ({ line }: Http1): Promise<string[]> => {
  const lines: string[] = []
  for (let next = await line(); next !== ''; next = await line()) lines.push(next)
  return lines
}
