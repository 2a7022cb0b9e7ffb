import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import type { EngineFactory } from '../../../kit/index.ts'

/** The engine as the conformance suite configures it. */
export const embeddedUnderTest: EngineFactory = ({
  http,
  https,
  drain,
  limits = {},
  acceptProxy = [],
  trustedProxies = [],
  sendProxy,
  minTls,
  accessLog,
  backendCa,
  health,
  retryAfter,
}) =>
  embedded({
    http: { port: http },
    https: { port: https },
    drain,
    limits,
    trustedProxies: [...acceptProxy, ...trustedProxies],
    proxyProtocol: { inbound: acceptProxy.length > 0, ...(sendProxy && { passthrough: sendProxy }) },
    ...(minTls && { tls: { minVersion: minTls } }),
    ...(accessLog && { accessLog }),
    backends: { retrySeconds: retryAfter, ...(backendCa && { ca: backendCa }) },
    ...(health && { health: { path: health.path, intervalSeconds: health.seconds } }),
  })
