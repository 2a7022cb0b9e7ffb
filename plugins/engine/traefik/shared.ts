import { createHash } from 'node:crypto'
import type { Certificate } from '../../../core/index.ts'
import { probeHost, probePath, probeRouter } from './api.ts'
import type { Settings } from './options.ts'

/** The document beside those of the workloads, for what all share. No workload id has a dot in it. */
export const sharedName = 'gateway.shared'
/** By a hash: an id may have whatever a resolver puts in it. */
export const certificateName = ({ id }: Certificate): string =>
  `certificate.${createHash('sha256').update(id).digest('hex').slice(0, 32)}`

/** Tries the next of several backends where one could not be reached. */
export const retryMiddleware = 'gateway-retry'
export const bodyMiddleware = 'gateway-body'

const refuse = 'gateway-refuse'
/** An address that no connection comes from (RFC 919). */
const nobody = '255.255.255.255/32'
const highest = 1_000_000

/** What all routes share, and the router by which the gateway sees which configuration is served. */
export const sharedDocument = (settings: Settings, token: string, generation: number): object => ({
  http: {
    routers: {
      [probeRouter]: probe(token, generation, 'gateway-probe'),
      // HTTP/2 without TLS is for no client of the public side (RFC 9113 section 3.1), and past a proxy it would hide requests from it.
      'gateway.h2c': {
        entryPoints: ['web-secure'],
        rule: 'HeaderRegexp(`Upgrade`, `(?i)h2c`)',
        priority: highest,
        service: 'noop@internal',
        middlewares: [refuse],
        tls: {},
      },
    },
    middlewares: {
      [retryMiddleware]: retry,
      [refuse]: { ipAllowList: { sourceRange: [nobody], rejectStatusCode: 400 } },
      ...(settings.limits.bodyBytes > 0 && {
        [bodyMiddleware]: { buffering: { maxRequestBodyBytes: settings.limits.bodyBytes } },
      }),
    },
  },
  tcp: {
    // Who does not begin with TLS there is nobody's client.
    routers: {
      'gateway.plain': { entryPoints: ['web-secure'], rule: 'HostSNI(`*`)', service: 'gateway.nowhere', middlewares: [refuse] },
    },
    services: { 'gateway.nowhere': { loadBalancer: { servers: [{ address: '127.0.0.1:1' }] } } },
    middlewares: { [refuse]: { ipAllowList: { sourceRange: [nobody] } } },
  },
  tls: {
    options: {
      default: {
        minVersion: settings.minVersion === 'TLSv1.3' ? 'VersionTLS13' : 'VersionTLS12',
        ...(settings.strictSni && { sniStrict: true }),
      },
      'gateway-probe': { minVersion: 'VersionTLS12' },
    },
  },
})

/** What routes over HTTP share among them; the rest of what is shared stays in the file. */
export const sharedOverHttp = (token: string, generation: number): object => ({
  http: {
    routers: { [probeRouter]: probe(token, generation, 'gateway-probe@file') },
    middlewares: { [retryMiddleware]: retry },
  },
})

const retry = { retry: { attempts: 4 } }
const probe = (token: string, generation: number, options: string) => ({
  rule: `Host(\`${probeHost}\`) && Path(\`${probePath(token, generation)}\`)`,
  service: 'ping@internal',
  tls: { options },
})

/** A certificate that the gateway got, inline: no other file is read for it. */
export const certificateDocument = ({ chain, key }: Certificate): object => ({
  tls: { certificates: [{ certFile: chain, keyFile: key }] },
})
