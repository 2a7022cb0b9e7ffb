import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { GatewayError, reason } from './errors.ts'
import type { Address, Listener } from './plugin.ts'

interface Held {
  readonly server: Server
  readonly port: number
  /** The last one gets the connections. */
  claims: { readonly accept: (socket: Socket) => void }[]
}

/** Who opens the listening sockets, where that is not this process. */
export interface Sockets {
  /** Has the server listen on the address. Rejects with PORT_IN_USE or LISTEN_FAILED. */
  bind(server: Server, address: Address): Promise<void>
  /** Nobody here listens on it any more. */
  free(address: Address): void
}

/** The listening sockets of a gateway. They outlive the plugin that asked first, so that a reload hands them on without a gap. */
export const listeners = (sockets: Sockets = { bind, free: () => undefined }) => {
  const held = new Map<string, Promise<Held>>()

  const open = async (address: Address, key: string): Promise<Held> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    await sockets.bind(server, address)
    const bound = server.address()
    const entry: Held = { server, port: typeof bound === 'object' && bound ? bound.port : 0, claims: [] }
    server.on('connection', (socket) => {
      const claim = entry.claims.at(-1)
      if (claim) claim.accept(socket)
      else socket.destroy()
    })
    server.on('error', () => held.delete(key))
    return entry
  }

  return {
    async listen(address: Address, accept: (socket: Socket) => void): Promise<Listener> {
      const key = 'path' in address ? address.path : address.port ? `${address.host} ${address.port}` : `any ${Math.random()}`
      const opening = held.get(key) ?? open(address, key)
      held.set(key, opening)
      const entry = await opening.catch((error) => {
        held.delete(key)
        throw error
      })
      const claim = { accept }
      entry.claims.push(claim)
      return {
        port: entry.port,
        async close() {
          entry.claims = entry.claims.filter((other) => other !== claim)
          if (entry.claims.length || !held.delete(key)) return
          // Only the socket: what was accepted is its owner's to end.
          entry.server.close()
          sockets.free(address)
        },
      }
    },
  }
}

const bind = async (server: Server, address: Address): Promise<void> => {
  try {
    await listen(server, address)
  } catch (error) {
    if (!('path' in address) || codeOf(error) !== 'EADDRINUSE' || (await answers(address.path))) throw explainBind(error, address)
    // A socket file that nobody answers on is left over from a crash.
    await unlink(address.path).catch(() => undefined)
    await listen(server, address).catch((again) => {
      throw explainBind(again, address)
    })
  }
  if ('path' in address && address.mode !== undefined) await chmod(address.path, address.mode)
}

const listen = (server: Server, address: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    // A unix socket is made in this very call: nobody else may reach it before its mode is set.
    const before = 'path' in address ? process.umask(0o177) : undefined
    try {
      server.listen({ ...address, backlog: 4096 }, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      if (before !== undefined) process.umask(before)
    }
  })

export const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

export const explainBind = (error: unknown, address: Address): GatewayError => {
  const where =
    'path' in address ? address.path : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
  const code = codeOf(error)
  if (code === 'EADDRINUSE')
    return new GatewayError('PORT_IN_USE', `${where} is in use by another process`, 'stop that process or choose another port', {
      cause: error,
    })
  const fix =
    code === 'EACCES'
      ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one otherwise'
      : 'choose an address of this machine'
  return new GatewayError('LISTEN_FAILED', `cannot listen on ${where}: ${reason(error)}`, fix, { cause: error })
}
