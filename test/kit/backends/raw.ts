import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type Http1, http1 } from '../clients/h1.ts'
import { type Backend, listen, type Where } from './listen.ts'

export interface RawBackend extends Backend {
  /** How many connections it ever took. */
  readonly accepted: number
}

/** A server of bytes: every connection (after TLS, where there is a certificate) is the callback's. */
export const rawBackend = async (connected: (connection: Http1) => unknown, where: Where = {}): Promise<RawBackend> => {
  let accepted = 0
  const server = where.tls ? createTlsServer({ cert: where.tls.chain, key: where.tls.key }) : createServer({ noDelay: true })
  server.on(where.tls ? 'secureConnection' : 'connection', async (socket: Socket) => {
    accepted++
    socket.on('error', () => undefined)
    try {
      await connected(http1(socket))
    } catch {
      socket.destroy()
    }
  })
  const backend = await listen(server, where)
  return Object.defineProperty(Object.create(backend) as RawBackend, 'accepted', { get: () => accepted })
}

/** Reads one request head, up to its empty line. */
export const readHead = async ({ line }: Http1): Promise<string[]> => {
  const lines: string[] = []
  for (let next = await line(); next !== ''; next = await line()) lines.push(next)
  return lines
}
