import { isIP } from 'node:net'
import type { Route } from '../../../core/index.ts'
import { backendAddress, parseBackend } from '../../../lib/backend.ts'
import { canonicalHost } from '../../../lib/host.ts'
import { isWorkloadId } from '../../../lib/workload-id.ts'

/** Traefik's dynamic configuration, as far as the gateway writes it. */
export interface Document {
  readonly http?: {
    readonly routers: Readonly<Record<string, HttpRouter>>
    readonly services: Readonly<Record<string, HttpService>>
  }
  readonly tcp?: {
    readonly routers: Readonly<Record<string, TcpRouter>>
    readonly services: Readonly<Record<string, TcpService>>
  }
}
interface HttpRouter {
  readonly rule: string
  readonly service: string
  readonly middlewares?: readonly string[]
  readonly tls: { readonly certResolver?: string; readonly domains?: readonly Domain[] }
}
interface Domain {
  readonly main?: string
  readonly sans?: readonly string[]
}
interface HttpService {
  readonly loadBalancer: {
    readonly servers: readonly { readonly url: string }[]
    readonly healthCheck?: { readonly path: string; readonly interval: string; readonly timeout: string }
    readonly passiveHealthCheck?: { readonly failureWindow: string; readonly maxFailedAttempts: number }
  }
}
interface TcpRouter {
  readonly rule: string
  readonly service: string
  readonly tls: { readonly passthrough: 'true' }
}
interface TcpService {
  readonly loadBalancer: {
    readonly servers: readonly { readonly address: string }[]
    readonly proxyProtocol?: { readonly version: 1 | 2 }
    readonly serversTransport?: string
  }
}

/** What a route's document depends on beside the route. */
export interface Shape {
  /** Whether Traefik gets the certificate of this route by its own resolvers. */
  issues(tls: Route['tls']): boolean
  /** Middlewares of routes with several backends, such as one that tries the next one. */
  readonly several: readonly string[]
  /** Seconds that a failed one of several backends is left out; absent: never. */
  readonly leftOut?: number
  readonly health?: { readonly path: string; readonly interval: number; readonly timeout: number }
  /** gRPC calls go to `http://` backends over HTTP/2. */
  readonly grpc: boolean
  /** What passthrough backends are sent where no relay is between. */
  readonly proxyProtocol?: 1 | 2
  /** Where the connections of passthrough routes go first, such as a relay that counts, and how; absent: to their backends. */
  readonly relay?: { readonly address: string; readonly serversTransport: string }
}

export const routerOf = (route: Route): string => `${route.id}-route`

/**
 * The document of one route, in the shape that tools on nodes read. Pure. Only checked text gets into it: ids, host names, and
 * addresses spelt by us. Throws where a route has anything else.
 */
export const documentOf = (route: Route, shape: Shape): Document => {
  if (!isWorkloadId(route.id)) throw new Error(`workload id ${JSON.stringify(route.id)} is none`)
  if (canonicalHost(route.host) !== route.host) throw new Error(`host ${JSON.stringify(route.host)} is no host name`)
  return route.tls.mode === 'passthrough' ? passedThrough(route, shape) : terminated(route, shape)
}

const passedThrough = (route: Route, shape: Shape): Document => {
  const { relay, proxyProtocol } = shape
  const backends = dialled(route).map(backendAddress)
  return {
    tcp: {
      routers: {
        [routerOf(route)]: { rule: `HostSNI(\`${route.host}\`)`, service: route.id, tls: { passthrough: 'true' } },
      },
      services: {
        [route.id]: {
          loadBalancer: {
            servers: (relay ? [relay.address] : backends).map((address) => ({ address })),
            ...(relay
              ? { serversTransport: relay.serversTransport }
              : proxyProtocol && { proxyProtocol: { version: proxyProtocol } }),
          },
        },
      },
    },
  }
}

const terminated = (route: Route, shape: Shape): Document => {
  const backends = dialled(route)
  const several = backends.length > 1
  const rule = `Host(\`${route.host}\`)`
  const rest = {
    ...(several && shape.several.length > 0 && { middlewares: shape.several }),
    tls: tlsOf(route, shape),
  }
  const balance = (urls: readonly string[]): HttpService => ({
    loadBalancer: {
      servers: urls.map((url) => ({ url })),
      ...(shape.health && {
        healthCheck: { path: shape.health.path, interval: `${shape.health.interval}s`, timeout: `${shape.health.timeout}s` },
      }),
      ...(several && shape.leftOut && { passiveHealthCheck: { failureWindow: `${shape.leftOut}s`, maxFailedAttempts: 1 } }),
    },
  })
  const grpc = shape.grpc && backends.some(({ scheme }) => scheme === 'http')
  return {
    http: {
      routers: {
        [routerOf(route)]: { rule, service: route.id, ...rest },
        ...(grpc && {
          [`${route.id}.grpc`]: {
            rule: `${rule} && HeaderRegexp(\`Content-Type\`, \`^application/grpc\`)`,
            service: `${route.id}.grpc`,
            ...rest,
          },
        }),
      },
      services: {
        [route.id]: balance(backends.map(({ text }) => text)),
        ...(grpc && { [`${route.id}.grpc`]: balance(backends.map(({ text }) => text.replace(/^http:/, 'h2c:'))) }),
      },
    },
  }
}

const tlsOf = (route: Route, shape: Shape): HttpRouter['tls'] => {
  const { tls } = route
  if (tls.mode === 'passthrough' || !shape.issues(tls)) return {}
  const wrong = tls.names.find((name) => canonicalHost(name.replace(/^\*\./, '')) !== name.replace(/^\*\./, ''))
  if (wrong !== undefined) throw new Error(`certificate name ${JSON.stringify(wrong)} is no host name`)
  const [first, ...others] = tls.names
  const domain: Domain =
    first === undefined || first.startsWith('*.')
      ? { sans: tls.names }
      : { main: first, ...(others.length > 0 && { sans: others }) }
  return { certResolver: tls.resolver, domains: [domain] }
}

const dialled = (route: Route) =>
  (route.via ?? route.backends).map((text) => {
    const backend = parseBackend(text, route.tls.mode === 'passthrough')
    if (typeof backend === 'string') throw new Error(`backend ${JSON.stringify(text)}: ${backend}`)
    // The address is spelt by our own parser; what it holds beyond digits, letters, dots and colons would be a rule broken there.
    if (isIP(backend.ip.text) === 0) throw new Error(`backend ${JSON.stringify(text)} has no IP address`)
    return backend
  })
