import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Running } from './boot.ts'
import { GatewayError, reason } from './errors.ts'
import type { Address, Listener } from './plugin.ts'

interface Claim {
  /** The health of the running plugin that listens. */
  readonly owner: object
  readonly accept: (socket: Socket) => void
  open: boolean
}
interface Held {
  readonly address: Address
  readonly server: Server
  readonly bound: Bound
  /** The last open one gets the connections. */
  claims: readonly Claim[]
  /** Came before any claim was open. */
  waiting: Socket[]
}

interface Bound {
  readonly port: number
  /** Has the server take connections, where it does not yet. */
  start?(): void
}
/** Who opens the listening sockets, where that is not this process. */
export interface Sockets {
  /** Binds the address for the server. Rejects with PORT_IN_USE or LISTEN_FAILED. */
  bind(server: Server, address: Address): Promise<Bound>
  /** Nobody here listens on it any more. */
  free(address: Address): void
}

/**
 * The listening sockets of a gateway. They outlive the plugin that asked first, so that a reload hands them on without a gap. What plugins
 * claim while they are set up gets no connection before `open`: until then an earlier claim has them, or they wait.
 */
export const listeners = (sockets: Sockets = { bind, free: () => undefined }) => {
  const held = new Map<string, Promise<Held>>()
  const bound = new Set<Held>()
  let holding = true
  /** Frees what an engine in this gateway's service still holds. */
  let freePorts: (() => Promise<void>) | undefined

  const bindTo = async (address: Address, key: string): Promise<Held> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const entry: Held = { address, server, bound: await bindFreed(server, address), claims: [], waiting: [] }
    server.on('connection', (socket) => {
      const claim = entry.claims.findLast(({ open }) => open)
      if (claim) claim.accept(socket)
      else if (entry.claims.length > 0) entry.waiting.push(socket)
      else socket.destroy()
    })
    server.on('error', () => {
      held.delete(key)
      bound.delete(entry)
    })
    bound.add(entry)
    return entry
  }
  const bindFreed = async (server: Server, address: Address): Promise<Bound> => {
    const late = performance.now() + releaseLimit
    for (;;)
      try {
        return await sockets.bind(server, address)
      } catch (error) {
        if (!freePorts || !isInUse(error) || performance.now() > late) throw error
        // Once it fails nobody frees the port, which is then told.
        freePorts().catch(() => undefined)
        await wait(10)
      }
  }
  const begin = (entry: Held): void => {
    if (entry.claims.length === 0) return
    for (const claim of entry.claims) claim.open = true
    entry.bound.start?.()
    const accept = entry.claims.at(-1)?.accept
    for (const socket of entry.waiting.splice(0)) accept?.(socket)
  }

  return {
    async listen(address: Address, accept: (socket: Socket) => void, owner: object): Promise<Listener> {
      const key = 'path' in address ? address.path : address.port ? `${address.host} ${address.port}` : `any ${Math.random()}`
      const opening = held.get(key) ?? bindTo(address, key)
      held.set(key, opening)
      const entry = await opening.catch((error) => {
        held.delete(key)
        throw error
      })
      const claim: Claim = { owner, accept, open: false }
      entry.claims = [...entry.claims, claim]
      if (!holding) begin(entry)
      return {
        port: entry.bound.port,
        async close() {
          entry.claims = entry.claims.filter((other) => other !== claim)
          if (entry.claims.length || !held.delete(key)) return
          bound.delete(entry)
          // Only the socket: what was accepted is its owner's to end.
          entry.server.close()
          for (const socket of entry.waiting.splice(0)) socket.destroy()
          sockets.free(address)
        },
      }
    },
    /** Throws CONFIG_INVALID where two claims of plugins that are to run together are for one address: one of them would hear nothing. */
    async uncontested(set: readonly Running[]): Promise<void> {
      for (const opening of held.values()) {
        const entry = await opening.catch(() => undefined)
        if (!entry) continue
        const { claims, address } = entry
        const owners = claims.flatMap(({ owner }) => set.filter(({ health }) => health === owner))
        if (owners.length < 2) continue
        const names = owners.map(({ plugin }) => `'${plugin.name}'`).join(' and ')
        throw new GatewayError('CONFIG_INVALID', `${shownAt(address)} is wanted twice, by ${names}`, 'give each its own port')
      }
    },
    /** The TCP ports on which connections are accepted now. */
    endpoints: (): readonly { readonly port: number }[] =>
      [...bound].flatMap(({ address, bound: { port } }) => ('path' in address ? [] : [{ port }])),
    /** Called before a port that is in use is given up as such; `undefined`: nobody can free any. */
    freePortsBy(free: (() => Promise<void>) | undefined): void {
      freePorts = free
    },
    /** Claims from now on get connections with the next `open`. */
    hold(): void {
      holding = true
    },
    open(): void {
      holding = false
      for (const opening of held.values()) opening.then(begin, () => undefined)
    },
  }
}

/** Milliseconds that an engine has to stop listening. */
const releaseLimit = 5_000
const isInUse = (error: unknown): boolean => error instanceof GatewayError && error.code === 'PORT_IN_USE'

const bind = async (server: Server, address: Address): Promise<Bound> => {
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
  const at = server.address()
  return { port: typeof at === 'object' && at ? at.port : 0 }
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

/** Of `sun_path` on Linux, without the byte that ends it (unix(7)). */
const longestPath = 107

const shownAt = (address: Address): string =>
  'path' in address ? address.path : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`

export const explainBind = (error: unknown, address: Address): GatewayError => {
  const where = shownAt(address)
  const code = codeOf(error)
  if (code === 'EADDRINUSE')
    return new GatewayError('PORT_IN_USE', `${where} is in use by another process`, 'stop that process or choose another port', {
      cause: error,
    })
  if ('path' in address && Buffer.byteLength(address.path) > longestPath)
    return new GatewayError(
      'LISTEN_FAILED',
      `cannot listen on ${where}: a unix socket's path has at most ${longestPath} bytes`,
      'choose a root with a shorter path',
      { cause: error },
    )
  const fix =
    code === 'EACCES'
      ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one otherwise'
      : 'choose an address of this machine'
  return new GatewayError('LISTEN_FAILED', `cannot listen on ${where}: ${reason(error)}`, fix, { cause: error })
}
