import { parseIp, parseRange } from '../../../lib/ip.ts'
import { type OverHttp, readOverHttp } from './endpoint/options.ts'
import { keys, number, oneOf, wrong } from './option-checks.ts'

/** Where a port is opened. Host: by default every address of both IP versions. */
interface Where {
  readonly host?: string
  readonly port?: number
}

export interface TraefikOptions {
  /** A path, or a name that is looked up in PATH. Default `traefik`. */
  readonly command?: string
  /** Only redirects to https, and answers http-01 challenges. Default port 80. */
  readonly http?: Where
  /** Terminated and passed-through hosts alike. Default port 443. */
  readonly https?: Where
  /** The port that clients know, for redirects; by default the one that is listened on. */
  readonly publicHttpsPort?: number
  /** Traefik's API and metrics, for the gateway alone: a loopback address. Default 127.0.0.1, port 8082. */
  readonly api?: Where
  /** Who gets the certificates of the resolvers `resolver` and `dnsresolver`: Traefik itself (default), or the gateway. */
  readonly issue?: 'traefik' | 'gateway'
  /** Of Traefik's own resolvers. */
  readonly acme?: {
    readonly email?: string
    /** The directory URL of the CA. Default: Traefik's own, Let's Encrypt. */
    readonly caServer?: string
    /** How dns-01 is answered, a provider that Traefik knows, with its environment. Default `exec` with the gateway's hook. */
    readonly dns?: {
      readonly provider: string
      readonly env?: Readonly<Record<string, string>>
      readonly resolvers?: readonly string[]
      readonly disableChecks?: boolean
      readonly delaySeconds?: number
    }
    readonly keyType?: 'EC256' | 'EC384' | 'RSA2048' | 'RSA4096' | 'RSA8192'
  }
  /** Beside PATH and HOME, such as `LEGO_CA_CERTIFICATES`. */
  readonly env?: Readonly<Record<string, string>>
  /** Traefik goes on when the gateway ends, and the next start takes it over. Default false. */
  readonly keepServing?: boolean
  /** Runs as this user where the gateway is root. */
  readonly user?: string
  /** A network namespace to run in. */
  readonly netns?: string
  /** The least time between two configurations that Traefik takes, in seconds. Default 0.05. */
  readonly throttleSeconds?: number
  /** Seconds that open requests have at the end; default 10, at most 30. */
  readonly drain?: number
  /**
   * How Traefik gets its routes: a file each, one document over HTTP from a process of ours, which is faster where there are many, or
   * (`auto`, the default) the one or the other by their number, moving without a failed request.
   */
  readonly routes?: 'auto' | 'files' | 'http'
  readonly overHttp?: OverHttp
  /** Networks whose X-Forwarded-* fields are believed. Default none. */
  readonly trustedProxies?: readonly string[]
  readonly proxyProtocol?: {
    /** Callers (networks) whose connections may begin with a PROXY protocol header. Default none. */
    readonly inbound?: readonly string[]
    /** Connections to passthrough backends begin with one. Default none. */
    readonly passthrough?: 'v1' | 'v2'
  }
  readonly tls?: {
    /** Default TLSv1.2. */
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
    /** Refuses the handshake for a host without a certificate, instead of showing Traefik's own. Default: where the gateway gets them. */
    readonly strictSni?: boolean
  }
  readonly backends?: {
    /** PEM of CAs; given, `https://` backends are verified by it. Default: not verified. */
    readonly ca?: string
    /** gRPC calls (by content type) go over HTTP/2 to `http://` backends. Default `never`. */
    readonly h2c?: 'grpc' | 'never'
    /** One of several backends that fails is left out for so many seconds. Default 1; 0: never. Needs Traefik 3.5. */
    readonly retrySeconds?: number
  }
  /**
   * Passed-through connections go by a process of the gateway's that counts their bytes and cuts those of a deleted route; default port
   * 8084 on 127.0.0.1. `false`: they go straight to their backends, uncounted, and live on after a delete.
   */
  readonly relay?: false | { readonly port?: number }
  /** Active health checks of every backend over HTTP. Default none. */
  readonly health?: { readonly path: string; readonly intervalSeconds?: number; readonly timeoutSeconds?: number }
  readonly limits?: Limits
  /** Traefik's access log in JSON, appended to this file. Default none. */
  readonly accessLog?: string
  /** Traefik's own log, on its stderr. Default WARN. */
  readonly logLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
}

/** Sizes in bytes, times in seconds; 0: no limit, but where a least is named. */
interface Limits {
  /** Of one request; default 32,768, at least 4,096. */
  readonly headerBytes?: number
  /** For a ClientHello, and for a whole request with its body; default 600. */
  readonly requestSeconds?: number
  /** A connection between requests; default 75. */
  readonly idleSeconds?: number
  /** One request body, which Traefik then buffers whole; default 0. */
  readonly bodyBytes?: number
  /** To connect to a backend; default 5, at least 0.1. */
  readonly connectSeconds?: number
  /** Until a backend begins to answer; default 300. */
  readonly responseSeconds?: number
  /** Streams at once of one HTTP/2 connection; default 128, at least 1. */
  readonly streams?: number
}
const defaults = {
  headerBytes: 32_768,
  requestSeconds: 600,
  idleSeconds: 75,
  bodyBytes: 0,
  connectSeconds: 5,
  responseSeconds: 300,
  streams: 128,
} satisfies Limits
const least: Readonly<Record<string, number>> = { headerBytes: 4_096, connectSeconds: 0.1, streams: 1 }

export interface Settings {
  readonly command: string
  readonly http: Required<Where>
  readonly https: Required<Where>
  readonly api: Required<Where>
  readonly publicHttpsPort: number | undefined
  readonly issue: 'traefik' | 'gateway'
  readonly acme: NonNullable<TraefikOptions['acme']> & { readonly eab?: { readonly id: string; readonly key: string } }
  readonly env: Readonly<Record<string, string>>
  readonly keepServing: boolean
  readonly user: string | undefined
  readonly netns: string | undefined
  readonly throttleSeconds: number
  readonly drain: number
  readonly routes: 'auto' | 'files' | 'http'
  readonly overHttp: Required<OverHttp>
  readonly trustedProxies: readonly string[]
  readonly acceptProxy: readonly string[]
  readonly sendProxy: 1 | 2 | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly strictSni: boolean
  readonly ca: string | undefined
  readonly grpc: boolean
  readonly leftOut: number
  readonly health: { readonly path: string; readonly interval: number; readonly timeout: number } | undefined
  readonly limits: Required<Limits>
  readonly accessLog: string | undefined
  readonly logLevel: string
  /** `undefined`: there is none. */
  readonly relayPort: number | undefined
}

/** Throws CONFIG_INVALID with the option's name. */
export const readOptions = (options: TraefikOptions): Settings => {
  const { http = {}, https = {}, api = {}, acme = {}, tls = {}, backends = {}, limits = {}, proxyProtocol = {} } = options
  const { health, drain = 10, throttleSeconds = 0.05, issue = 'traefik' } = options
  keys('', options, top)
  for (const [name, where] of Object.entries({ http, https, api })) {
    keys(`${name}.`, where, ['host', 'port'])
    if (where.host !== undefined && !parseIp(where.host))
      throw wrong(`${name}.host`, `is ${JSON.stringify(where.host)}`, 'give an IP address')
    number(`${name}.port`, where.port ?? 443, 1, 65_535)
  }
  keys('acme.', acme, ['email', 'caServer', 'dns', 'keyType'])
  if (acme.dns) keys('acme.dns.', acme.dns, ['provider', 'env', 'resolvers', 'disableChecks', 'delaySeconds'])
  keys('tls.', tls, ['minVersion', 'strictSni'])
  keys('backends.', backends, ['ca', 'h2c', 'retrySeconds'])
  keys('proxyProtocol.', proxyProtocol, ['inbound', 'passthrough'])
  keys('limits.', limits, Object.keys(defaults))
  if (health) keys('health.', health, ['path', 'intervalSeconds', 'timeoutSeconds'])
  if (health && !/^\/[\x21-\x7e]*$/.test(health.path)) throw wrong('health.path', 'is no path', 'give one such as /healthz')
  for (const [name, value] of Object.entries(limits)) number(`limits.${name}`, value, least[name] ?? 0, 2_000_000_000)
  if (options.relay) keys('relay.', options.relay, ['port'])
  else if (options.relay !== undefined && options.relay !== false)
    throw wrong('relay', `is ${JSON.stringify(options.relay)}`, 'give false, or an object with a port')
  number('relay.port', (options.relay || undefined)?.port ?? 8084, 1, 65_535)
  number('drain', drain, 0, 30)
  number('throttleSeconds', throttleSeconds, 0.001, 60)
  number('publicHttpsPort', options.publicHttpsPort ?? 443, 1, 65_535)
  number('backends.retrySeconds', backends.retrySeconds ?? 1, 0, 3_600)
  oneOf('routes', options.routes, ['auto', 'files', 'http'])
  oneOf('issue', issue, ['traefik', 'gateway'])
  oneOf('tls.minVersion', tls.minVersion, ['TLSv1.2', 'TLSv1.3'])
  oneOf('backends.h2c', backends.h2c, ['grpc', 'never'])
  oneOf('proxyProtocol.passthrough', proxyProtocol.passthrough, ['v1', 'v2'])
  oneOf('acme.keyType', acme.keyType, ['EC256', 'EC384', 'RSA2048', 'RSA4096', 'RSA8192'])
  oneOf('logLevel', options.logLevel, ['DEBUG', 'INFO', 'WARN', 'ERROR'])
  if (acme.caServer !== undefined && !/^https?:\/\/\S+$/.test(acme.caServer))
    throw wrong('acme.caServer', 'is no URL', "give the CA's directory, such as https://acme-v02.api.letsencrypt.org/directory")
  const { host = '127.0.0.1' } = api
  if (!/^127\.|^::1$/.test(host))
    throw wrong('api.host', `is ${host}`, 'give a loopback address: whoever reaches it sees every route')
  return {
    command: options.command ?? 'traefik',
    http: { host: http.host ?? '', port: http.port ?? 80 },
    https: { host: https.host ?? '', port: https.port ?? 443 },
    api: { host, port: api.port ?? 8082 },
    publicHttpsPort: options.publicHttpsPort,
    issue,
    acme,
    env: options.env ?? {},
    keepServing: options.keepServing ?? false,
    user: options.user,
    netns: options.netns,
    throttleSeconds,
    drain,
    routes: options.routes ?? 'auto',
    overHttp: readOverHttp(options.overHttp ?? {}),
    trustedProxies: networks('trustedProxies', options.trustedProxies ?? []),
    acceptProxy: networks('proxyProtocol.inbound', proxyProtocol.inbound ?? []),
    sendProxy: proxyProtocol.passthrough && (proxyProtocol.passthrough === 'v1' ? 1 : 2),
    minVersion: tls.minVersion ?? 'TLSv1.2',
    strictSni: tls.strictSni ?? issue === 'gateway',
    ca: backends.ca,
    grpc: backends.h2c === 'grpc',
    leftOut: backends.retrySeconds ?? 1,
    health: health && { path: health.path, interval: health.intervalSeconds ?? 10, timeout: health.timeoutSeconds ?? 2 },
    limits: { ...defaults, ...limits },
    accessLog: options.accessLog,
    logLevel: options.logLevel ?? 'WARN',
    relayPort: options.relay === false ? undefined : (options.relay?.port ?? 8084),
  }
}

const top = [
  'command',
  'http',
  'https',
  'publicHttpsPort',
  'api',
  'issue',
  'acme',
  'env',
  'keepServing',
  'user',
  'netns',
  'throttleSeconds',
  'drain',
  'routes',
  'overHttp',
  'trustedProxies',
  'proxyProtocol',
  'tls',
  'backends',
  'relay',
  'health',
  'limits',
  'accessLog',
  'logLevel',
]

const networks = (option: string, given: readonly string[]): readonly string[] => {
  for (const text of given)
    if (!parseRange(text)) throw wrong(option, `has ${JSON.stringify(text)}`, 'give addresses or networks such as 10.0.0.0/8')
  return given
}
