import type { Socket } from 'node:net'
import { join } from 'node:path'
import {
  Acme,
  asGatewayError,
  Doctor,
  definePlugin,
  Fetch,
  type Gateway,
  GatewayError,
  type Listener,
  optional,
} from '../../../core/index.ts'
import type { Via } from './context.ts'
import { checkOptions, type HttpApiOptions } from './options.ts'
import { problem } from './problem.ts'

export type { HttpApiOptions, Token } from './options.ts'

/** Milliseconds that a running request has to end once the API closes. */
const grace = 3000

/**
 * The gateway over HTTP: on loopback for programs and people on this machine, on a unix socket for the CLI, and as a fetch handler
 * to mount elsewhere. Everything behind the listening sockets is imported with the first request. docs/http-api.md
 */
export const httpApi = (options: HttpApiOptions = {}) => {
  const settings = checkOptions(options)
  return definePlugin({
    name: 'transport/http-api',
    kind: 'transport',
    options,
    needs: { doctor: optional(Doctor), acme: optional(Acme) },
    provides: { http: Fetch },
    setup: (core) => {
      const { log, root, health, listen, doctor, acme } = core
      const closing = new AbortController()
      const listeners: Listener[] = []
      const servers: { close(grace: number): Promise<void> }[] = []
      let gateway: Gateway | undefined

      const build = once(async () => {
        if (!gateway) throw new GatewayError('BUSY', 'the gateway is starting', 'try again in a second')
        const { createApp } = await import('./app.ts')
        return createApp({ gateway, doctor, acme, settings, log, signal: closing.signal })
      })
      const answer = async (request: Request, via: Via): Promise<Response> => {
        try {
          return await (await build()).fetch(request, { via })
        } catch (error) {
          return problem(error)
        }
      }
      /** A server that comes to be with its first connection. */
      const serve = (via: Via) => {
        const start = once(async () => {
          const [{ httpServer }, { listener }] = await Promise.all([import('./server.ts'), import('./listener.ts')])
          const handle = listener((request) => answer(request, via))
          const server = httpServer(handle)
          servers.push(server)
          return server
        })
        return (socket: Socket): void => {
          socket.on('error', () => socket.destroy())
          start().then(
            ({ accept }) => accept(socket),
            (error) => socket.destroy(error),
          )
        }
      }

      return {
        async listen(given) {
          gateway = given
          const path = settings.socket === false ? undefined : (settings.socket ?? join(root, 'gateway.sock'))
          const facts: Record<string, string> = {}
          if (path !== undefined) {
            listeners.push(await listen({ path, mode: 0o600 }, serve('socket')).catch(explain))
            facts.socket = path
          }
          if (settings.tcp) {
            const { host } = settings.tcp
            const listener = await listen(settings.tcp, serve('tcp')).catch(explain)
            listeners.push(listener)
            facts.url = `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`
          }
          health('ok', undefined, facts)
        },
        api: { http: { fetch: (request) => answer(request, 'mounted') } },
        async close() {
          closing.abort()
          await Promise.all(listeners.map((listener) => listener.close()))
          await Promise.all(servers.map((server) => server.close(grace)))
        },
      }
    },
  })
}

/** The sentence of the core, with what to change about this plugin. */
const explain = (error: unknown): never => {
  const { code, message } = asGatewayError(error)
  throw new GatewayError(
    code,
    `the HTTP API cannot listen: ${message}`,
    'free it, or choose another with --api or httpApi({ tcp, socket })',
    { cause: error },
  )
}

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
