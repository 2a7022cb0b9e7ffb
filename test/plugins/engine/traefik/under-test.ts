import type { Plugin } from '../../../../core/index.ts'
import { type TraefikOptions, traefik } from '../../../../plugins/engine/traefik/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { freePort, type Limits, type Where } from '../../../kit/index.ts'
import { traefikPath } from '../../../kit/programs.ts'

/** The engine as the conformance suite configures it, with what it needs; its routes as files. */
export const traefikUnderTest = (where: Where): Promise<readonly Plugin[]> => pluginsFor(where, { routes: 'files' })

/** The same with its routes over HTTP. */
export const traefikOverHttp = async (where: Where): Promise<readonly Plugin[]> =>
  pluginsFor(where, { routes: 'http', overHttp: { port: await portOf(`${where.root} routes`) } })

const pluginsFor = async (
  { root, http, https, drain, limits = {}, ...where }: Where,
  feed: TraefikOptions,
): Promise<readonly Plugin[]> => [
  processes(),
  traefik({
    command: traefikPath(),
    http: { port: http },
    https: { port: https },
    api: { port: await portOf(root) },
    relay: { port: await portOf(`${root} relay`) },
    ...feed,
    issue: 'gateway',
    drain,
    limits: limitsOf(limits),
    trustedProxies: where.trustedProxies ?? [],
    proxyProtocol: { inbound: where.acceptProxy ?? [], ...(where.sendProxy && { passthrough: where.sendProxy }) },
    backends: {
      retrySeconds: where.retryAfter,
      ...(where.backendCa && { ca: where.backendCa }),
      ...(where.grpc && { h2c: 'grpc' }),
    },
    ...(where.minTls && { tls: { minVersion: where.minTls } }),
    ...(where.accessLog && { accessLog: where.accessLog }),
    ...(where.health && { health: { path: where.health.path, intervalSeconds: where.health.seconds, timeoutSeconds: 1 } }),
  }),
]

/** The same after a restart. */
const portOf = (root: string): Promise<number> => {
  const port = ports.get(root) ?? freePort()
  ports.set(root, port)
  return port
}
const ports = new Map<string, Promise<number>>()

/** Traefik has one time limit for a ClientHello, a head and a whole request. */
const limitsOf = ({
  headerSeconds,
  handshakeSeconds,
  connections: _,
  ...rest
}: Limits): NonNullable<TraefikOptions['limits']> => {
  const request = Math.min(headerSeconds ?? Number.POSITIVE_INFINITY, handshakeSeconds ?? Number.POSITIVE_INFINITY)
  return { ...rest, ...(Number.isFinite(request) && { requestSeconds: request }) }
}
