import { AsyncLocalStorage } from 'node:async_hooks'
import { onTestFinished, type TestContext } from 'vitest'
import {
  type Bytes,
  createGateway,
  type Logged,
  type Plugin,
  type Route,
  type RunningGateway,
  type Traffic,
  type WorkloadId,
} from '../../../core/index.ts'
import { type Authority, createAuthority } from '../authority.ts'
import { type Answer, type Http1, http1 } from '../clients/h1.ts'
import { type Http2, openH2 } from '../clients/h2.ts'
import { openTcp, openTls, type Target, type Tls } from '../clients/socket.ts'
import { freePort } from '../port.ts'
import { tempRoot } from '../root.ts'
import { keepSaid } from '../said.ts'
import { anyHost, emptyMemory, issued, type Memory, memory, meter, passthrough, pending } from './plugins.ts'
import type { EngineFactory, Settings, Where } from './settings.ts'

/** A gateway with the engine under test in it, and the ways to talk to it. All that it opens is closed when the test is over. */
export interface World {
  readonly where: Where
  readonly authority: Authority
  readonly gateway: RunningGateway
  readonly memory: Memory
  readonly log: readonly string[]
  /** Sets a route and returns once it is served. */
  set(id: string, host: string, backends: readonly string[], passthrough?: boolean): Promise<Route>
  delete(id: string): Promise<void>
  /** Resolves with the next event, from now on, that `wanted` takes. */
  event(wanted: (event: Logged) => boolean): Promise<Logged>
  /** Resolves with the last figures of the workload once it is removed. Ask before the delete. */
  removed(id: string): Promise<Bytes>
  /** The engine's counter of the workload now; zeros where it has none. */
  bytes(id: string): Promise<Bytes>
  /** All counters, or what may have changed since the reading of this mark. */
  traffic(since?: number): Promise<Awaited<ReturnType<Traffic['read']>>>
  /** A connection for HTTP/1.1 over TLS that asks for `host`. */
  h1(host: string, tls?: Tls, target?: Partial<Target>): Promise<Http1>
  h2(host: string, tls?: Tls, target?: Partial<Target>): Promise<Http2>
  /** A connection to the port of plain HTTP. */
  plain(target?: Partial<Target>): Promise<Http1>
  /** One request on a connection of its own. */
  get(host: string, path?: string, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
  /** Closes the gateway and starts another on the same ports, folder and store. */
  restart(): Promise<void>
}
export type Open = (settings?: Settings) => Promise<World>

/** Has this done when the test is over, whatever came of it; what was deferred last is done first. */
export const defer = (close: () => unknown) =>
  (running.getStore()?.onTestFinished ?? onTestFinished)(async () => void (await close()), 60_000)

/** Runs a case so that what it defers is its own, also where others run beside it. */
export const runCase = (context: TestContext, run: () => Promise<void>) => running.run(context, run)
const running = new AsyncLocalStorage<TestContext>()

export const idOf = (id: string) => id as WorkloadId

/** `workloads`: what takes workloads; any FQDN by default. */
export const openWorld =
  (engine: EngineFactory, workloads: readonly Plugin[] = [anyHost()]): Open =>
  async (settings = {}) => {
    const [http, https, authority] = [await freePort(), await freePort(), await createAuthority()]
    const [own, engines, held] = [tempRoot(), tempRoot('engine'), emptyMemory()]
    defer(() => Promise.all([own.remove(), engines.remove()]))
    const where: Where = {
      drain: 2,
      retryAfter: 1,
      ...settings,
      http,
      https,
      addresses: ['127.0.0.1', '::1'],
      root: engines.path,
    }
    const log: string[] = []
    const counters: Parameters<typeof meter>[0] = {}
    const start = async () =>
      createGateway(
        {
          plugins: [
            ...workloads,
            passthrough(),
            pending(),
            issued(authority),
            memory(held),
            meter(counters),
            ...[await engine(where)].flat(),
          ],
        },
        {
          root: own.path,
          log: (...said) => {
            const line = said.map(written).join(' ')
            log.push(line)
            keepSaid(`${line}\n`)
          },
        },
      )
    let gateway = await start()
    defer(() => gateway.close())

    const next = async (wanted: (event: Logged) => boolean) => {
      for await (const found of gateway.events()) if (wanted(found)) return found
      throw new Error('the gateway closed before the event')
    }
    const event: World['event'] = (wanted) => {
      const found = next(wanted)
      // A case that failed elsewhere waits for it no more.
      found.catch(() => undefined)
      return found
    }
    const traffic: World['traffic'] = async (since) => {
      if (counters.reader === undefined) throw new Error('the engine provides no Traffic')
      return counters.reader.read(AbortSignal.timeout(5_000), since)
    }
    const h1: World['h1'] = async (host, tls, target) => {
      const socket = await openTls({ port: https, ...target }, { name: host, ca: authority.root, ...tls })
      return closing(http1(socket))
    }
    return {
      where,
      authority,
      memory: held,
      log,
      get gateway() {
        return gateway
      },
      set: (id, fqdn, backends, through = false) =>
        gateway.dispatch({ do: 'set-fqdn', id: idOf(id), fqdn, backends, passthrough: through }, { wait: 'live' }),
      delete: async (id) => {
        await gateway.dispatch({ do: 'delete', id: idOf(id) })
      },
      event,
      removed: (id) => {
        const last = event((found) => found.type === 'removed' && found.route.id === id)
        const bytes = last.then((found) => (found.type === 'removed' ? found.bytes : { request: 0, response: 0 }))
        bytes.catch(() => undefined)
        return bytes
      },
      traffic,
      bytes: async (id) => (await traffic()).bytes.get(idOf(id)) ?? { request: 0, response: 0 },
      h1,
      h2: async (host, tls, target) =>
        closing(await openH2({ port: https, ...target }, { name: host, ca: authority.root, ...tls })),
      plain: async (target) => closing(http1(await openTcp({ port: http, ...target }))),
      get: async (host, path = '/', headers = {}) => {
        const client = await h1(host)
        try {
          return await client.request(`GET ${path}`, { Host: host, ...headers })
        } finally {
          client.close()
        }
      },
      close: () => gateway.close(),
      restart: async () => {
        await gateway.close()
        gateway = await start()
      },
    }
  }

const closing = <T extends { close(): void }>(client: T): T => {
  defer(() => client.close())
  return client
}

const written = (said: unknown) =>
  typeof said === 'string' ? said : JSON.stringify(said, (_, value) => (value instanceof Error ? value.message : value))
