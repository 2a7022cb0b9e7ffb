import type { Fields } from '../fields.ts'
import { checkRequest, type Refusal, type Target } from '../target.ts'

/** The head of a request as HTTP/2 brings it (RFC 9113 section 8.3.1). */
export interface Head extends Target {
  readonly method: string
  readonly fields: Fields
  /** Of the body, as declared. */
  readonly length: string | undefined
}

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const badText = /[\0-\x08\x0a-\x1f\x7f]|^[\t ]|[\t ]$/
const ofOneHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** `malformed`: no request at all (RFC 9113 section 8.1.1); a refusal is answered. */
export const readHead = (raw: readonly string[]): Head | Refusal | 'malformed' => {
  let [method, path, scheme, authority, host, length]: (string | undefined)[] = []
  const fields: Fields = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (name.startsWith(':')) {
      if (fields.length > 0 || host !== undefined || length !== undefined || badText.test(value)) return 'malformed'
      if (name === ':method' && method === undefined) method = value
      else if (name === ':path' && path === undefined) path = value
      else if (name === ':scheme' && scheme === undefined) scheme = value
      else if (name === ':authority' && authority === undefined) authority = value
      else return 'malformed'
      continue
    }
    if (!isField(name, value)) return 'malformed'
    if (name === 'host') {
      if (host !== undefined) return { status: 400, reason: 'the request names its host twice' }
      host = value
    } else if (name === 'content-length') {
      if (length !== undefined || !/^[0-9]{1,15}$/.test(value)) return 'malformed'
      length = String(Number(value))
    } else fields.push(name, value)
  }
  if (method === undefined || !token.test(method)) return 'malformed'
  if (method === 'CONNECT') return { status: 405, reason: 'this method is not served here' }
  if (path === undefined || path === '' || scheme === undefined || !/^[a-z][a-z0-9+.-]*$/i.test(scheme)) return 'malformed'
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return { status: 400, reason: 'the request names two hosts' }
  const named = authority ?? host
  const target = checkRequest(method, path, '2', named === undefined ? fields : ['host', named, ...fields])
  return 'status' in target ? target : { ...target, method, fields, length }
}

/** Bytes of the names and values of a head. */
export const headBytes = (raw: readonly string[]): number => raw.reduce((bytes, text) => bytes + text.length, 0)

/** Whether these are trailers: fields without a pseudo-header. */
export const areTrailers = (raw: readonly string[]): boolean => {
  for (let i = 0; i < raw.length; i += 2) if (!isField(raw[i] ?? '', raw[i + 1] ?? '')) return false
  return true
}

// RFC 9113 sections 8.2.1 and 8.2.2.
const isField = (name: string, value: string): boolean => {
  if (!fieldName.test(name) || badText.test(value) || ofOneHop.has(name)) return false
  return name !== 'te' || value.toLowerCase() === 'trailers'
}
