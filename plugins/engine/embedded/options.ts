import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { holdsCertificate } from '../../../lib/pem.ts'
import { hostText, keys, number, oneOf, wrong } from './option-checks.ts'

/** Where a port is opened. Host: by default every address of both IP versions, of IPv4 alone where the machine has no other. */
export interface Where {
  readonly host?: string
  /** 0: any free port. */
  readonly port?: number
}

export interface EmbeddedOptions {
  /** Default port 8080; `false`: not opened. Sends known hosts to https, or with `redirect: false` serves them there as well, in the clear. */
  readonly http?: (Where & { readonly redirect?: boolean }) | false
  /** Terminated and passed-through hosts alike. Default port 8443. */
  readonly https?: Where
  /** The port that clients know, for redirects; by default the one that is listened on. */
  readonly publicHttpsPort?: number
  /** Seconds that open connections have after a delete or at the end; default 30, at most 30. */
  readonly drain?: number
  /** Addresses or networks (`10.0.0.0/8`) whose X-Forwarded-* and Forwarded fields are believed, and whose PROXY headers are. Default none. */
  readonly trustedProxies?: readonly string[]
  readonly proxyProtocol?: {
    /** Connections begin with a PROXY protocol header, version 1 or 2. From `trustedProxies` only, where there are any. Default false. */
    readonly inbound?: boolean
    /** Connections to passthrough backends begin with one. Default none. */
    readonly passthrough?: 'v1' | 'v2'
  }
  readonly tls?: {
    /** Default TLSv1.2. */
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
    /** Contexts kept for certificates in use, about 50 KiB each. Default 1000. */
    readonly contexts?: number
  }
  readonly backends?: {
    /** PEM of CAs; given, `https://` backends are verified by it. Default: not verified. */
    readonly ca?: string
    /** Which requests go over HTTP/2: gRPC (by its content type; default), every one, or none. */
    readonly h2c?: 'grpc' | 'always' | 'never'
    /** A backend that fails is left out for so many seconds, twice as many each time after, up to 30. Default 1. */
    readonly retrySeconds?: number
    /** Idle connections kept to one backend, and seconds of idleness. Defaults 64, 30. */
    readonly idle?: number
    readonly idleSeconds?: number
  }
  /** Active health checks: a GET, or a TCP connect where `path` is absent, of every backend in use. Default none. */
  readonly health?: {
    readonly path?: string
    /** Defaults 10, 2. */
    readonly intervalSeconds?: number
    readonly timeoutSeconds?: number
  }
  readonly limits?: Limits
  /** One line of JSON a request: a file to append to, or `stdout`. Default none. */
  readonly accessLog?: string
}

/** Sizes in bytes, times in seconds; 0: no limit. */
interface Limits {
  /** Connections at once; default 20,000. */
  readonly connections?: number
  /** TLS connections at once of the hosts of one tenant; default 10,000. */
  readonly tenantConnections?: number
  /** Requests, upgraded and passed-through connections at once of the hosts of one tenant; default 10,000. */
  readonly tenantRequests?: number
  /** Connections at once of one client address (IPv4 address, /64 of IPv6; none for `trustedProxies`); default 2,000. */
  readonly clientConnections?: number
  /** Requests, upgraded and passed-through connections at once of one client address; default 2,000. */
  readonly clientRequests?: number
  /** Connections for TLS a second of one client address, ten seconds' worth at once; default 200. */
  readonly clientHandshakes?: number
  /** Requests, streams and handshakes a second that come to nothing by the doing of one client address, ten seconds' worth at once; default 200. */
  readonly clientFailures?: number
  /** Of one request; default 32,768. */
  readonly headerBytes?: number
  /** For a TLS handshake with its PROXY header; default 5. */
  readonly handshakeSeconds?: number
  /** For the head of a request; default 10. */
  readonly headerSeconds?: number
  /** A connection between requests; default 75. */
  readonly idleSeconds?: number
  /** One request body; default 0. */
  readonly bodyBytes?: number
  /** One request body; default 3,600. */
  readonly bodySeconds?: number
  /** To connect to a backend; default 5. */
  readonly connectSeconds?: number
  /** Until a backend begins to answer; default 300. */
  readonly responseSeconds?: number
  /** A transfer in which nothing moves; default 300. */
  readonly stallSeconds?: number
  /** An upgraded or passed-through connection on which nothing moves; default 3,600. */
  readonly tunnelIdleSeconds?: number
  /** The same once one of its two sides has stopped sending; default 60. */
  readonly halfClosedSeconds?: number
  /** Streams at once of one HTTP/2 connection; default 128. */
  readonly streams?: number
  /** PING and SETTINGS frames a second of one HTTP/2 connection; default 100. */
  readonly controlFrames?: number
  /** Bytes held in memory that wait for a slow peer: of one client connection; default 4 MiB, at least 2 MiB. */
  readonly connectionBufferBytes?: number
  /** Of one client address; default 64 MiB. */
  readonly addressBufferBytes?: number
  /** Of the process; default 256 MiB. */
  readonly bufferBytes?: number
}

const defaults = {
  connections: 20_000,
  tenantConnections: 10_000,
  tenantRequests: 10_000,
  clientConnections: 2_000,
  clientRequests: 2_000,
  clientHandshakes: 200,
  clientFailures: 200,
  headerBytes: 32_768,
  handshakeSeconds: 5,
  headerSeconds: 10,
  idleSeconds: 75,
  bodyBytes: 0,
  bodySeconds: 3_600,
  connectSeconds: 5,
  responseSeconds: 300,
  stallSeconds: 300,
  tunnelIdleSeconds: 3_600,
  halfClosedSeconds: 60,
  streams: 128,
  controlFrames: 100,
  connectionBufferBytes: 4_194_304,
  addressBufferBytes: 67_108_864,
  bufferBytes: 268_435_456,
} satisfies Limits
const least: Readonly<Record<string, number>> = {
  headerBytes: 1_024,
  handshakeSeconds: 0.1,
  headerSeconds: 0.1,
  connectSeconds: 0.1,
  halfClosedSeconds: 0.1,
  streams: 1,
  controlFrames: 1,
  // More than the request bodies that one connection may send unread.
  connectionBufferBytes: 2_097_152,
}

export interface Settings {
  readonly http: Where | undefined
  readonly redirect: boolean
  readonly https: Where
  readonly publicHttpsPort: number | undefined
  /** ms */
  readonly drain: number
  readonly trusts: (address: string) => boolean
  /** Whether a connection of this peer begins with a PROXY header. */
  readonly proxied: (address: string) => boolean
  readonly preface: 'v1' | 'v2' | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly contexts: number
  readonly ca: string | undefined
  readonly h2c: 'grpc' | 'always' | 'never'
  readonly retry: number
  readonly idle: number
  readonly idleSeconds: number
  readonly health: { path: string | undefined; interval: number; timeout: number } | undefined
  readonly limits: Required<Limits>
  readonly accessLog: string | undefined
}

/** Throws CONFIG_INVALID with the option's name. */
export const readOptions = (options: EmbeddedOptions): Settings => {
  const { http = {}, https = {}, tls = {}, backends = {}, limits = {}, proxyProtocol = {}, health, drain = 30 } = options
  keys('', options, [
    'http',
    'https',
    'publicHttpsPort',
    'drain',
    'trustedProxies',
    'proxyProtocol',
    'tls',
    'backends',
    'health',
    'limits',
    'accessLog',
  ])
  keys('https.', https, ['host', 'port'])
  if (http !== false) keys('http.', http, ['host', 'port', 'redirect'])
  keys('tls.', tls, ['minVersion', 'contexts'])
  keys('backends.', backends, ['ca', 'h2c', 'retrySeconds', 'idle', 'idleSeconds'])
  keys('proxyProtocol.', proxyProtocol, ['inbound', 'passthrough'])
  if (health) keys('health.', health, ['path', 'intervalSeconds', 'timeoutSeconds'])
  keys('limits.', limits, Object.keys(defaults))
  for (const [name, value] of Object.entries(limits)) number(`limits.${name}`, value, least[name] ?? 0, 2_000_000_000)
  number('drain', drain, 0, 30)
  number('http.port', http === false ? 0 : (http.port ?? 8080), 0, 65_535)
  number('https.port', https.port ?? 8443, 0, 65_535)
  hostText('http.host', http === false ? undefined : http.host)
  hostText('https.host', https.host)
  number('publicHttpsPort', options.publicHttpsPort ?? 443, 1, 65_535)
  number('tls.contexts', tls.contexts ?? 1_000, 1, 1_000_000)
  number('backends.retrySeconds', backends.retrySeconds ?? 1, 0.1, 3_600)
  number('backends.idle', backends.idle ?? 64, 0, 100_000)
  number('backends.idleSeconds', backends.idleSeconds ?? 30, 0, 86_400)
  if (backends.ca !== undefined && !holdsCertificate(backends.ca))
    throw wrong('backends.ca', 'holds no certificate', 'give the PEM itself, such as readFileSync(file, "utf8")')
  oneOf('tls.minVersion', tls.minVersion, ['TLSv1.2', 'TLSv1.3'])
  oneOf('backends.h2c', backends.h2c, ['grpc', 'always', 'never'])
  oneOf('proxyProtocol.passthrough', proxyProtocol.passthrough, ['v1', 'v2'])
  const trusted = networks(options.trustedProxies ?? [])
  const everyone = (options.trustedProxies ?? []).length === 0
  return {
    http: http === false ? undefined : http,
    redirect: http === false || http.redirect !== false,
    https,
    publicHttpsPort: options.publicHttpsPort,
    drain: drain * 1_000,
    trusts: trusted,
    proxied: proxyProtocol.inbound ? (address) => everyone || trusted(address) : () => false,
    preface: proxyProtocol.passthrough,
    minVersion: tls.minVersion ?? 'TLSv1.2',
    contexts: tls.contexts ?? 1_000,
    ca: backends.ca,
    h2c: backends.h2c ?? 'grpc',
    retry: (backends.retrySeconds ?? 1) * 1_000,
    idle: backends.idle ?? 64,
    idleSeconds: backends.idleSeconds ?? 30,
    health: health && readHealth(health),
    limits: { ...defaults, ...limits },
    accessLog: options.accessLog,
  }
}

const readHealth = ({
  path,
  intervalSeconds = 10,
  timeoutSeconds = 2,
}: NonNullable<EmbeddedOptions['health']>): Settings['health'] => {
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path)) throw wrong('health.path', 'is no path', 'give one such as /healthz')
  number('health.intervalSeconds', intervalSeconds, 0.1, 86_400)
  number('health.timeoutSeconds', timeoutSeconds, 0.1, 300)
  return { path, interval: intervalSeconds * 1_000, timeout: timeoutSeconds * 1_000 }
}

const networks = (texts: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', bits] = text.split('/')
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
    const most = family === 'ipv4' ? 32 : 128
    if (!family || (bits !== undefined && !(/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most))) {
      throw wrong(
        'trustedProxies',
        `holds ${JSON.stringify(text)}, which is neither an address nor a network`,
        'write it as 192.0.2.7 or 10.0.0.0/8',
      )
    }
    list.addSubnet(address, bits === undefined ? most : Number(bits), family)
  }
  return texts.length === 0 ? () => false : (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}
