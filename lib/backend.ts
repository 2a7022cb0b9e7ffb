import { type Ip, parseIp } from './ip.ts'

/** What an engine dials. `text` is the canonical spelling: as the caller wrote it, but for case, IP spelling and zeros. */
export interface Backend {
  /** `http` and `https`: TLS ends here. `tcp`: bytes are passed through. */
  readonly scheme: 'http' | 'https' | 'tcp'
  readonly ip: Ip
  readonly port: number
  readonly text: string
}

/**
 * Reads `http://ip[:port]` or `https://ip[:port]`, and for passthrough `ip:port` or `https://ip:port`. An IPv6 address stands in
 * brackets. Refuses whatever Go's url.Parse, net.SplitHostPort and net.ParseIP refuse, and user info, paths (but the empty one, `/`),
 * queries, fragments, empty ports and ports outside 1 to 65535 as well. Returns a sentence where it refuses.
 */
export const parseBackend = (text: string, passthrough: boolean): Backend | string => {
  if (text.length > 100) return 'it is longer than any backend is'
  return passthrough ? parsePassthrough(text) : parseUrl(text, false)
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`: what a TCP dialer takes. */
export const backendAddress = ({ ip, port }: Backend): string => `${bracketed(ip)}:${port}`

/** With scheme where it has one and always with the port: `http://10.0.0.1:80`, `10.0.0.1:443`. */
export const formatBackend = (backend: Backend): string =>
  backend.scheme === 'tcp' ? backendAddress(backend) : `${backend.scheme}://${backendAddress(backend)}`

// The `i` folds ASCII only: without the `u` flag no letter outside it matches.
const url = /^(https?):\/\/(?:\[([^[\]]*)\]|([^[\]:/?#@]*))(?::([0-9]*))?\/?$/i
const pair = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^:]*)$/

const parsePassthrough = (text: string): Backend | string => {
  if (/^https:/i.test(text)) return parseUrl(text, true)
  if (/^http:/i.test(text)) return 'for tls passthrough it must be ip:port or https://ip:port, and http:// is neither'
  const match = pair.exec(text)
  if (!match) return 'for tls passthrough it must be ip:port or https://ip:port, an IPv6 address in brackets'
  const ip = parseIp(match[1] ?? match[2] ?? '')
  if (!ip) return 'invalid ip'
  const port = parsePort(match[3] ?? '')
  return typeof port === 'string' ? port : { scheme: 'tcp', ip, port, text: `${bracketed(ip)}:${port}` }
}

const parseUrl = (text: string, passthrough: boolean): Backend | string => {
  const match = url.exec(text)
  const scheme = match?.[1]?.toLowerCase() === 'https' ? 'https' : 'http'
  if (!match) return passthrough ? 'it must be ip:port or https://ip:port and nothing more' : wrongUrl(text)
  // RFC 3986 section 3.2.2: only an IPv6 address stands in brackets, and it does so always.
  const inside = match[2]
  const ip = inside === undefined ? parseIp(match[3] ?? '') : inside.includes(':') ? parseIp(inside) : undefined
  if (!ip) return `invalid ip address in backend`
  if (match[4] === undefined) {
    if (passthrough) return 'for tls passthrough the port must be there: https://ip:port'
    return { scheme, ip, port: scheme === 'https' ? 443 : 80, text: `${scheme}://${bracketed(ip)}` }
  }
  const port = parsePort(match[4])
  if (typeof port === 'string') return port
  return { scheme: passthrough ? 'tcp' : scheme, ip, port, text: `${scheme}://${bracketed(ip)}:${port}` }
}

const wrongUrl = (text: string): string => {
  if (!/^https?:\/\//i.test(text)) return 'scheme expected to be http or https: http://ip[:port] or https://ip[:port]'
  return 'it must be http://ip[:port] or https://ip[:port] and nothing more: no user, path, query or fragment, an IPv6 address in brackets'
}

const parsePort = (text: string): number | string => {
  if (!/^[0-9]+$/.test(text)) return 'invalid port in backend'
  const port = Number(text)
  if (port > 65535) return 'port must be <= 65535'
  return port === 0 ? 'port must be >= 1' : port
}

const bracketed = (ip: Ip): string => (ip.version === 6 ? `[${ip.text}]` : ip.text)
