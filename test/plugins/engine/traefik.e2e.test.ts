import { processes } from '../../../plugins/service/processes/index.ts'
import { traefik } from '../../../plugins/engine/traefik/index.ts'
import { describeEngine, freePort } from '../../kit/index.ts'
import { traefikPath } from '../../kit/programs.ts'

/** Of Traefik's API, by the folder of the case. */
const ports = new Map<string, Promise<number>>()
const apiPort = (root: string) => {
  const port = ports.get(root) ?? freePort()
  ports.set(root, port)
  return port
}

describeEngine('engine/traefik', {
  engine: async ({ root, http, https, drain, limits = {}, ...where }) => [
    processes(),
    traefik({
      command: traefikPath(),
      http: { port: http },
      https: { port: https },
      api: { port: await apiPort(root) },
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
  ],
})

/** Traefik has one time limit for a ClientHello, a head and a whole request. */
const limitsOf = ({ headerSeconds, handshakeSeconds, connections, ...rest }: import('../../kit/index.ts').Limits) => {
  const request = Math.min(headerSeconds ?? Number.POSITIVE_INFINITY, handshakeSeconds ?? Number.POSITIVE_INFINITY)
  return { ...rest, ...(Number.isFinite(request) && { requestSeconds: request }) }
}
