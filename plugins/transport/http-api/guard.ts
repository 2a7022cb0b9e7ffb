import { GatewayError } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { isLoopback, type Settings } from './options.ts'
import { HttpError } from './problem.ts'

/**
 * Keeps web pages out. A page that a user visits can reach loopback under its own name (DNS rebinding), so the Host must be a
 * known one; and it can send requests blindly (CSRF), so what a browser marks as coming from another origin is refused, and writes
 * must have a content type that no form can send. A request that passed a proxy is not from this machine, whatever its address says.
 */
export const guard = (request: Request, settings: Settings): void => {
  const target = new URL(request.url).host
  const host = request.headers.get('host') ?? target
  checkHost(host, settings.hosts)
  // The absolute form of a request line goes before the header (RFC 9112 section 3.2.2).
  if (target !== host) checkHost(target, settings.hosts)
  checkOrigin(request, host)
  if (settings.tokens.length) return
  const proxied = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'via'].find((name) => request.headers.has(name))
  if (proxied) throw forbidden(`the request came through a proxy (${proxied})`, 'configure tokens, or call without the proxy')
  const type = request.headers.get('content-type') ?? ''
  if (['PUT', 'POST'].includes(request.method) && !isJson(type))
    throw new HttpError(415, 'BAD_REQUEST', `content type '${shown(type)}' is not JSON`, 'send content-type: application/json')
}

export const isWrite = ({ method }: Request): boolean => method !== 'GET' && method !== 'HEAD'
export const isJson = (type: string): boolean => /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)

const checkHost = (host: string, allowed: ReadonlySet<string>): void => {
  const [, name] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(host) ?? []
  const bare = name?.replace(/^\[|\]$/g, '').toLowerCase()
  if (bare !== undefined && (isLoopback(bare) || allowed.has(bare))) return
  throw forbidden(`host '${shown(host)}' is not one of this API's`, 'use localhost or 127.0.0.1, or add the host to allowHosts')
}

const checkOrigin = (request: Request, host: string): void => {
  const origin = request.headers.get('origin')
  const site = request.headers.get('sec-fetch-site')
  const opened = !isWrite(request) && request.headers.get('sec-fetch-mode') === 'navigate'
  const foreign = (site !== null && site !== 'same-origin' && site !== 'none') || (origin !== null && hostOf(origin) !== host)
  if (foreign && !opened)
    throw forbidden('the request comes from a web page of another origin', 'call from a page of this API, or from no page')
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)

const forbidden = (message: string, fix: string) => new GatewayError('FORBIDDEN', message, fix)
