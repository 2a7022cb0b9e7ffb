import { parseIp, parseRange } from '../../../lib/ip.ts'
import { holdsCertificate } from '../../../lib/pem.ts'
import { type OverHttp, readOverHttp } from './endpoint/options.ts'
import { type Limits, readLimits } from './limits.ts'
import { keys, number, oneOf, ownPorts, wrong } from './option-checks.ts'
import type { TraefikOptions, Where } from './options.ts'

/** The options, checked and whole. */
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
  const { http = {}, https = {}, api = {}, acme = {}, tls = {}, backends = {}, proxyProtocol = {} } = options
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
  if (health) keys('health.', health, ['path', 'intervalSeconds', 'timeoutSeconds'])
  if (health && !/^\/[\x21-\x7e]*$/.test(health.path)) throw wrong('health.path', 'is no path', 'give one such as /healthz')
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
  if (backends.ca !== undefined && !holdsCertificate(backends.ca))
    throw wrong('backends.ca', 'holds no certificate', 'give the PEM itself, such as readFileSync(file, "utf8")')
  if (acme.caServer !== undefined && !/^https?:\/\/\S+$/.test(acme.caServer))
    throw wrong('acme.caServer', 'is no URL', "give the CA's directory, such as https://acme-v02.api.letsencrypt.org/directory")
  const { host = '127.0.0.1' } = api
  if (!/^127\.|^::1$/.test(host))
    throw wrong('api.host', `is ${host}`, 'give a loopback address: whoever reaches it sees every route')
  const listening = {
    http: { host: http.host ?? '', port: http.port ?? 80 },
    https: { host: https.host ?? '', port: https.port ?? 443 },
    api: { host, port: api.port ?? 8082 },
  }
  const overHttp = readOverHttp(options.overHttp ?? {})
  const relayPort = options.relay === false ? undefined : (options.relay?.port ?? 8084)
  const inside = (port: number) => ({ host: '127.0.0.1', port })
  ownPorts({
    'http.port': listening.http,
    'https.port': listening.https,
    'api.port': listening.api,
    'overHttp.port': options.routes === 'files' ? undefined : inside(overHttp.port),
    'relay.port': relayPort === undefined ? undefined : inside(relayPort),
  })
  return {
    command: options.command ?? 'traefik',
    ...listening,
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
    overHttp,
    trustedProxies: networks('trustedProxies', options.trustedProxies ?? []),
    acceptProxy: networks('proxyProtocol.inbound', proxyProtocol.inbound ?? []),
    sendProxy: proxyProtocol.passthrough && (proxyProtocol.passthrough === 'v1' ? 1 : 2),
    minVersion: tls.minVersion ?? 'TLSv1.2',
    strictSni: tls.strictSni ?? issue === 'gateway',
    ca: backends.ca,
    grpc: backends.h2c === 'grpc',
    leftOut: backends.retrySeconds ?? 1,
    health: health && { path: health.path, interval: health.intervalSeconds ?? 10, timeout: health.timeoutSeconds ?? 2 },
    limits: readLimits(options.limits ?? {}),
    accessLog: options.accessLog,
    logLevel: options.logLevel ?? 'WARN',
    relayPort,
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
