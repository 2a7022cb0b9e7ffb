import type { Certificate } from '../../../core/index.ts'
import { probeHost, probePath, probeRouter } from './api.ts'
import type { Settings } from './options.ts'

/** The file beside those of the workloads, for what all share. No workload id has a dot in it. */
export const sharedFile = 'gateway.shared.yaml'
export const certificateFile = (certificate: Certificate): string => `certificate.${certificate.id}.yaml`

/** Tries the next of several backends where one could not be reached. */
export const retryMiddleware = 'gateway-retry'
export const bodyMiddleware = 'gateway-body'

/** What all routes share, and the router by which the gateway sees which configuration is served. */
export const sharedDocument = (settings: Settings, token: string, generation: number): object => ({
  http: {
    routers: {
      [probeRouter]: {
        rule: `Host(\`${probeHost}\`) && Path(\`${probePath(token, generation)}\`)`,
        service: 'ping@internal',
        tls: { options: 'gateway-probe' },
      },
    },
    middlewares: {
      [retryMiddleware]: { retry: { attempts: 4 } },
      ...(settings.limits.bodyBytes > 0 && {
        [bodyMiddleware]: { buffering: { maxRequestBodyBytes: settings.limits.bodyBytes } },
      }),
    },
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

/** A certificate that the gateway got, inline: no other file is read for it. */
export const certificateDocument = ({ chain, key }: Certificate): object => ({
  tls: { certificates: [{ certFile: chain, keyFile: key }] },
})
