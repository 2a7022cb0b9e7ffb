import type { Redis } from 'ioredis'
import { isSecret, readSecret, type Secret } from '../secret.ts'

/** Where a Redis listens. */
export interface Broker {
  readonly path?: string
  readonly host?: string
  readonly port?: number
  readonly password?: string
}

const help = 'write unix:///path/of.sock or tcp://[password@]host:port'

/** Reads `unix:///path` or `tcp://[password@]host:port`. Throws an Error that says what is wrong. */
export const parseBroker = (text: string): Broker => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  switch (url?.protocol) {
    case 'unix:': {
      if (url.host !== '' || url.pathname.length < 2) throw new Error(`the broker names no path: ${help}`)
      return { path: decodeURIComponent(url.pathname) }
    }
    case 'tcp:': {
      if (url.hostname === '') throw new Error(`the broker names no host: ${help}`)
      const password = decodeURIComponent(url.password || url.username)
      return {
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: Number(url.port || 6379),
        ...(password === '' ? {} : { password }),
      }
    }
  }
  throw new Error(`the broker is no address that zbus knows: ${help}`)
}

/** A broker as an option gives it: its address, or what was read of that. */
export const brokerOf = (given: string | Broker): Broker => (typeof given === 'string' ? parseBroker(given) : given)

/** The broker with the password that stands elsewhere. Rejects with a sentence where it cannot be read. */
export const readBroker = async (text: string, password: Secret | undefined): Promise<Broker> => ({
  ...parseBroker(text),
  ...(password && { password: await readSecret(password) }),
})

/** Why the options of a broker do not go together; `undefined` where they do. */
export const wrongPassword = (broker: string, password: unknown): { readonly what: string; readonly fix: string } | undefined => {
  if (password === undefined) return undefined
  if (!isSecret(password))
    return { what: 'password is no place', fix: 'give { file: path } or { env: name }, never the password itself' }
  if (broker === 'auto' || parseBroker(broker).password === undefined) return undefined
  return { what: 'the broker has a password, and password names another', fix: 'take the one in the broker out' }
}

/** The address without its password. */
export const shownBroker = ({ path, host = '', port }: Broker): string =>
  path === undefined ? `tcp://${host.includes(':') ? `[${host}]` : host}:${port}` : `unix://${path}`

/** Milliseconds to the next try: from 50 doubling to 5,000, the later half of it by chance. */
export const retryDelay = (tries: number): number => {
  const most = Math.min(5_000, 50 * 2 ** Math.min(tries - 1, 10))
  return most / 2 + Math.random() * (most / 2)
}

/**
 * One connection that comes back by itself. A command fails at once while it is away, and one whose answer got lost fails too: whoever
 * sent it knows whether doing it twice is safe.
 */
export const connect = async (broker: Broker, name: string): Promise<Redis> => {
  const { Redis } = await import('ioredis')
  const redis = new Redis({
    ...broker,
    protocol: 2,
    connectionName: name,
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    socketTimeout: 15_000,
    retryStrategy: retryDelay,
  })
  // Without a listener ioredis prints; who waits for `ready` hears of it there.
  redis.on('error', () => undefined)
  // Every call that waits for the connection listens once.
  redis.setMaxListeners(0)
  return redis
}

/** Resolves once commands can be sent; rejects when `signal` aborts. */
export const ready = async (redis: Redis, signal: AbortSignal): Promise<void> => {
  signal.throwIfAborted()
  if (redis.status === 'ready') return
  await new Promise<void>((done, fail) => {
    const finish = () => {
      redis.off('ready', finish)
      signal.removeEventListener('abort', finish)
      if (signal.aborted) fail(signal.reason)
      else done()
    }
    redis.on('ready', finish)
    signal.addEventListener('abort', finish)
    if (redis.status === 'wait' || redis.status === 'end') redis.connect().catch(() => undefined)
  })
}
