import type { Settings } from './settings.ts'
import { bodyMiddleware, forwardedMiddleware } from './shared.ts'
import { atLeast, type Version } from './version.ts'

/** Where Traefik finds and keeps its files. */
export interface Folders {
  /** Of the route files. */
  readonly proxy: string
  /** Of its ACME state. */
  readonly state: string
}

/** The static configuration, for Traefik's `--configFile`. `provider`: of routes over HTTP, with the secret by which Traefik gets its routes. */
export const staticConfig = (settings: Settings, folders: Folders, version: Version, provider?: object): object => {
  const { limits } = settings
  const transport = {
    lifeCycle: { graceTimeOut: seconds(settings.drain) },
    respondingTimeouts: { readTimeout: seconds(limits.requestSeconds), idleTimeout: seconds(limits.idleSeconds) },
  }
  const entryPoint = ({ host, port }: { readonly host: string; readonly port: number }) => ({
    address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    transport,
    ...(settings.acceptProxy.length > 0 && { proxyProtocol: { trustedIPs: settings.acceptProxy } }),
  })
  const http = {
    ...(atLeast(version, [3, 2, 0]) && { maxHeaderBytes: limits.headerBytes }),
    // A path reaches the backend as the client wrote it: no rule of ours looks at one.
    ...(atLeast(version, [3, 3, 6]) && { sanitizePath: false }),
    ...(atLeast(version, [3, 6, 3]) && { encodedCharacters }),
  }
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: settings.logLevel },
    entryPoints: {
      web: {
        ...entryPoint(settings.http),
        http: {
          ...http,
          redirections: {
            entryPoint: {
              to: settings.publicHttpsPort === undefined ? 'web-secure' : `:${settings.publicHttpsPort}`,
              scheme: 'https',
              // Below any other router of this port, such as one that answers http-01 challenges.
              priority: 10,
            },
          },
        },
      },
      'web-secure': {
        ...entryPoint(settings.https),
        // Route files name no entry point.
        asDefault: true,
        ...(settings.trustedProxies.length > 0 && { forwardedHeaders: { trustedIPs: settings.trustedProxies } }),
        http: {
          ...http,
          middlewares: [forwardedMiddleware, ...(limits.bodyBytes > 0 ? [bodyMiddleware] : [])].map((name) => `${name}@file`),
        },
        http2: { maxConcurrentStreams: limits.streams },
      },
      // Of the API, behind a password, and of metrics; on a loopback address only.
      traefik: {
        address: `${settings.api.host.includes(':') ? `[${settings.api.host}]` : settings.api.host}:${settings.api.port}`,
      },
    },
    providers: {
      providersThrottleDuration: seconds(settings.throttleSeconds),
      // The gateway says by SIGHUP when a batch of files is whole.
      file: { directory: folders.proxy, watch: false },
      ...(provider && { http: provider }),
    },
    // By a router of the gateway's own, which asks for a password: what it shows is not for every user of the machine.
    api: { insecure: false, dashboard: false },
    ping: { manualRouting: true },
    metrics: {
      prometheus: { entryPoint: 'traefik', addEntryPointsLabels: false, addRoutersLabels: false, addServicesLabels: true },
    },
    serversTransport: {
      ...(settings.ca === undefined ? { insecureSkipVerify: true } : { rootCAs: [settings.ca] }),
      maxIdleConnsPerHost: 64,
      forwardingTimeouts: {
        dialTimeout: seconds(limits.connectSeconds),
        responseHeaderTimeout: seconds(limits.responseSeconds),
        idleConnTimeout: '30s',
      },
    },
    // A client that has sent all may still wait for the answer.
    tcpServersTransport: { dialTimeout: seconds(limits.connectSeconds), terminationDelay: '300s' },
    ...(settings.accessLog !== undefined && {
      accessLog: { filePath: settings.accessLog, format: 'json', fields: { headers: { defaultMode: 'drop' } } },
    }),
    ...(settings.issue === 'traefik' && { certificatesResolvers: resolvers(settings, folders) }),
  }
}

/** What Traefik's own resolvers are called, by route files and by the resolver plugins. */
export const ownResolvers: readonly string[] = ['resolver', 'dnsresolver']

const resolvers = ({ acme }: Settings, { state }: Folders) => {
  const common = {
    ...(acme.email !== undefined && { email: acme.email }),
    ...(acme.caServer !== undefined && { caServer: acme.caServer }),
    ...(acme.keyType !== undefined && { keyType: acme.keyType }),
    ...(acme.eab && { eab: { kid: acme.eab.id, hmacEncoded: acme.eab.key } }),
  }
  const { provider = 'exec', resolvers, disableChecks, delaySeconds } = acme.dns ?? {}
  const propagation = {
    // The gateway's hook returns once its name server answers: nothing is left to wait for.
    ...((disableChecks ?? provider === 'exec') && { disableChecks: true }),
    ...(delaySeconds !== undefined && { delayBeforeChecks: seconds(delaySeconds) }),
  }
  return {
    resolver: { acme: { ...common, storage: `${state}/acme.json`, httpChallenge: { entryPoint: 'web' } } },
    dnsresolver: {
      acme: {
        ...common,
        storage: `${state}/acme2.json`,
        dnsChallenge: { provider, ...(resolvers && { resolvers }), ...(Object.keys(propagation).length > 0 && { propagation }) },
      },
    },
  }
}

const encodedCharacters = Object.fromEntries(
  ['Slash', 'BackSlash', 'NullCharacter', 'Semicolon', 'Percent', 'QuestionMark', 'Hash'].map((name) => [
    `allowEncoded${name}`,
    true,
  ]),
)
const seconds = (count: number) => `${Math.round(count * 1_000)}ms`
