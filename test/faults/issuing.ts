import { X509Certificate } from 'node:crypto'
import { createGateway, GatewayError, type Op, parseOperation } from '../../core/index.ts'
import {
  type AcmeOptions,
  acme,
  dnsResolver,
  embedded,
  fqdnProxy,
  httpResolver,
  level,
  nameProxy,
  staticNode,
} from '../../plugins/index.ts'
import { defer } from '../kit/engine/world.ts'

import {
  type AcmeWorld,
  type EngineFactory,
  http1,
  httpBackend,
  openTls,
  type PebbleOptions,
  startAcmeWorld,
  tempRoot,
} from '../kit/index.ts'
import { traefikUnderTest } from '../plugins/engine/traefik/under-test.ts'
import { type OldRoute, underLoad } from './old-route.ts'

export interface Issuing {
  readonly ca: AcmeWorld
  readonly root: string
  readonly gateway: Awaited<ReturnType<typeof createGateway>>
  /** Sets a domain of `tenant`, and says by which code it was refused or is not live; `undefined` where nothing is wrong. */
  set(tenant: number, host: string, options?: { wait?: 'live' }): Promise<string | undefined>
  delete(tenant: number, host: string): Promise<void>
  /** The certificate that a client of the CA is shown. Rejects with the client's reason. */
  shown(host: string): Promise<X509Certificate>
  state(host: string): ReturnType<Issuing['gateway']['certificates']['list']>[number] | undefined
  /** Another tenant's route, with a certificate of the CA, under load from now on. */
  oldRoute(): Promise<OldRoute>
}

/** The embedded engine goes by the clock of the test: none of its own limits is to end a request when that is put forward. */
const day = 86_400
const limits = { handshakeSeconds: day, headerSeconds: day, idleSeconds: day, stallSeconds: day, responseSeconds: day }
const patient: EngineFactory = ({ http, https, drain }) =>
  embedded({ http: { port: http }, https: { port: https }, drain, limits })

/** A gateway that gets certificates from a real Pebble behind a proxy that makes faults, on each engine into which it puts them. */
export const issuing = Object.fromEntries(
  Object.entries<EngineFactory>({ embedded: patient, traefik: traefikUnderTest }).map(([name, engine]) => [name, openOn(engine)]),
) as Record<'embedded' | 'traefik', ReturnType<typeof openOn>>

function openOn(engine: EngineFactory) {
  return async (o: { pebble?: Partial<PebbleOptions>; acme?: (ca: AcmeWorld) => AcmeOptions } = {}): Promise<Issuing> => {
    const ca = await startAcmeWorld(o.pebble)
    defer(ca.close)
    const [root, engines, backend] = [tempRoot('issuing'), tempRoot('engine'), await httpBackend('served')]
    defer(() => Promise.all([root.remove(), engines.remove(), backend.close()]))
    const { http, https } = ca
    const where = { http, https, addresses: ['127.0.0.1', '::1'] as const, root: engines.path, drain: 1, retryAfter: 1 }
    const gateway = await createGateway(
      {
        plugins: [
          level(),
          staticNode({ domain: 'gw.example.org', ipv4: '127.0.0.1' }),
          fqdnProxy(),
          nameProxy(),
          httpResolver(),
          dnsResolver(),
          ca.writer(),
          acme({ ...ca.acme, ...o.acme?.(ca) }),
          ...[await engine(where)].flat(),
        ],
      },
      { root: root.path },
    )
    defer(gateway.close)
    const trust = await ca.pebble.root()
    const connect = (name: string) => openTls({ port: https }, { name, ca: trust })
    const idOf = (tenant: number, host: string) => `${tenant}-1-${host.replaceAll('.', '-')}`
    const set: Issuing['set'] = async (tenant, fqdn, options = {}) => {
      const asked = parseOperation({ do: 'set-fqdn', id: idOf(tenant, fqdn), fqdn, backends: [backend.url] })
      try {
        await gateway.dispatch(asked as Op<'set-fqdn'>, options)
        return undefined
      } catch (error) {
        if (error instanceof GatewayError) return error.code
        throw error
      }
    }
    return {
      ca,
      root: root.path,
      gateway,
      set,
      delete: async (tenant, host) => {
        await gateway.dispatch(parseOperation({ do: 'delete', id: idOf(tenant, host) }) as Op<'delete'>)
      },
      shown: async (host) => {
        const socket = await connect(host)
        const { raw } = socket.getPeerCertificate()
        socket.destroy()
        return new X509Certificate(raw)
      },
      state: (host) => gateway.certificates.list().find(({ names }) => names.includes(host)),
      oldRoute: async () => {
        const host = 'old.example'
        ca.dns.set(host, { A: ['127.0.0.1'] })
        const code = await set(900, host, { wait: 'live' })
        if (code) throw new Error(`the old route is not served: ${code}`)
        const old = await underLoad({ host, text: 'served', connect: async () => http1(await connect(host)) })
        defer(() => old[Symbol.asyncDispose]().catch(() => undefined))
        return old
      },
    }
  }
}
