import { isIP } from 'node:net'
import { GatewayError, knownOptions } from '../../../core/index.ts'
import { canonicalHost } from '../../../lib/host.ts'

export interface HttpApiOptions {
  /** Where it listens on TCP; false: not at all. Default 127.0.0.1:8070. An address beyond loopback needs `tokens`. */
  readonly tcp?: { readonly host?: string; readonly port: number } | false
  /**
   * The unix socket of the CLI, mode 0600; false: none. Default `<root>/gateway.sock`.
   * Whoever may open it has full rights, without a token.
   */
  readonly socket?: string | false
  /** Who may call over TCP, made by `gateway token`. Without any, TCP is open to callers on this machine. */
  readonly tokens?: readonly Token[]
  /** Host names (without port) that callers may use besides `localhost` and IP addresses of loopback. */
  readonly allowHosts?: readonly string[]
  /** How many requests run at once; more get LIMIT. Default 1024; event streams apart, of which there are at most 128. */
  readonly maxParallel?: number
  /** Seconds between the comments that keep an idle event stream open. Default 15. */
  readonly heartbeat?: number
}

export interface Token {
  /** `sha256:` and 64 hex digits, of the token's text. The token itself stands nowhere. */
  readonly hash: string
  /** `read` sees everything and changes nothing; `write` does both. */
  readonly scope: 'read' | 'write'
  /** Stands in the log beside every change that it made. */
  readonly name?: string
  /** An ISO 8601 date, after which it is refused. */
  readonly expires?: string
}

/** The options, checked and with their defaults. `socket` is undefined where the root decides. */
export interface Settings {
  readonly tcp: { readonly host: string; readonly port: number } | undefined
  readonly socket: string | false | undefined
  readonly tokens: readonly {
    readonly hash: Buffer
    readonly scope: Token['scope']
    readonly name: string | undefined
    readonly expires: number
  }[]
  readonly hosts: ReadonlySet<string>
  readonly maxParallel: number
  readonly heartbeat: number
}

/** Throws CONFIG_INVALID. */
export const checkOptions = (options: HttpApiOptions): Settings => {
  knownOptions('http-api', options, {
    tcp: true,
    socket: true,
    tokens: true,
    allowHosts: true,
    maxParallel: true,
    heartbeat: true,
  })
  if (options.tcp) knownOptions('http-api: tcp', options.tcp, { host: true, port: true })
  const tokens = (options.tokens ?? []).map(checkToken)
  const tcp = options.tcp === false ? undefined : { host: '127.0.0.1', port: 8070, ...options.tcp }
  if (tcp) checkTcp(tcp, tokens.length > 0)
  if (options.socket !== undefined && options.socket !== false && !/^\/.{0,106}$/s.test(options.socket))
    throw invalid(
      `socket ${JSON.stringify(options.socket)} is no absolute path of at most 107 characters`,
      'give an absolute path, or false',
    )
  const hosts = (options.allowHosts ?? []).map((host) => checkHost(host))
  const { maxParallel = 1024, heartbeat = 15 } = options
  if (!Number.isInteger(maxParallel) || maxParallel < 1)
    throw invalid(`maxParallel is ${maxParallel}`, 'give a whole number above 0')
  if (!(heartbeat > 0 && heartbeat <= 3600)) throw invalid(`heartbeat is ${heartbeat}`, 'give seconds, at most 3600')
  const own = tcp && !isAnyAddress(tcp.host) ? [tcp.host.toLowerCase()] : []
  return { tcp, socket: options.socket, tokens, hosts: new Set([...hosts, ...own]), maxParallel, heartbeat }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

const checkTcp = ({ host, port }: { host: string; port: number }, guarded: boolean): void => {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalid(`tcp.port is ${port}`, 'give a port from 0 (any free one) to 65535')
  if (host !== 'localhost' && !isIP(host))
    throw invalid(`tcp.host ${JSON.stringify(host)} is no IP address`, 'give an address of this machine')
  if (!guarded && !isLoopback(host))
    throw invalid(
      `tcp.host ${host} is open to other machines, and there are no tokens`,
      'listen on 127.0.0.1, or make a token with `gateway token` and add it to `tokens`',
    )
}

const checkToken = (token: Token, index: number) => {
  const { hash, scope, name, expires } = token
  const at = `tokens[${index}]`
  knownOptions(`http-api: ${at}`, token, { hash: true, scope: true, name: true, expires: true })
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(hash) ?? []
  if (!hex)
    throw invalid(`${at}.hash is not sha256: and 64 hex digits`, 'make one with `gateway token`; never put the token itself here')
  if (scope !== 'read' && scope !== 'write') throw invalid(`${at}.scope is ${JSON.stringify(scope)}`, "give 'read' or 'write'")
  const until = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires)
  if (Number.isNaN(until))
    throw invalid(`${at}.expires ${JSON.stringify(expires)} is no date`, 'write it as 2030-01-31T00:00:00Z')
  return { hash: Buffer.from(hex, 'hex'), scope, name, expires: until }
}

const checkHost = (host: string): string => {
  const canonical = isIP(host) || host === 'localhost' ? host.toLowerCase() : canonicalHost(host)
  if (canonical === undefined)
    throw invalid(`allowHosts has ${JSON.stringify(host)}`, 'give host names or addresses without a port')
  return canonical
}

const invalid = (message: string, fix: string) => new GatewayError('CONFIG_INVALID', `http-api: ${message}`, fix)
