import { type Fields, fieldValue } from './fields.ts'
import { servedMethods } from './methods.ts'

/** Where a request wants to go. `authority` is the host as the client wrote it, with its port; `target` is in origin form, or `*`. */
export interface Target {
  readonly authority: string
  readonly target: string
}
export interface Refusal {
  readonly status: number
  readonly reason: string
}

const authorityForm = /^(?:[A-Za-z0-9._-]{1,254}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/
const absolute = /^https?:\/\/([^/?#]*)(.*)$/i
// What would be cut to one byte on the wire, or end a line there.
const unsafe = /[^\x21-\xff]/

/** The key a host is looked up by: lower case, without port and trailing dot. */
export const hostKey = (authority: string): string => {
  const colon = authority.lastIndexOf(':')
  const name = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}

const refuse = (status: number, reason: string): Refusal => ({ status, reason })

/** Refuses what two servers could understand in two ways (RFC 9112 sections 3.2 and 11.2), which Node's parser lets through. */
export const checkRequest = (method: string, url: string, version: string, fields: Readonly<Fields>): Target | Refusal => {
  // Node's parser takes 0.9, no version at all, and 2.0 for HTTP/1.1.
  if (version !== '1.1' && version !== '2' && version !== '1.0') return refuse(505, 'this version of HTTP is not served here')
  if (method === 'CONNECT' || method === 'TRACE') return refuse(405, 'this method is not served here')
  if (!servedMethods.has(method)) return refuse(501, 'this method is not known here')
  let host: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== 'host') break
        if (host !== undefined) return refuse(400, 'the request names its host twice')
        host = fields[i + 1]
        break
      case 7:
        if (name.toLowerCase() === 'upgrade' && isH2c(fields[i + 1] ?? '')) return refuse(400, 'HTTP/2 is not offered by Upgrade')
        break
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break
        if (version === '1.0') return refuse(400, 'HTTP/1.0 has no transfer codings')
        if ((fields[i + 1] ?? '').toLowerCase() !== 'chunked')
          return refuse(400, 'the only transfer coding served is chunked, once')
        break
    }
  }
  if (host === undefined || !authorityForm.test(host)) return refuse(400, 'the request names no valid host')
  return readTarget(method, url, host)
}

const readTarget = (method: string, url: string, host: string): Target | Refusal => {
  if (unsafe.test(url)) return refuse(400, 'the request target is malformed')
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return { authority: host, target: url }
  const [, named, rest = ''] = absolute.exec(url) ?? []
  if (named === undefined) return refuse(400, 'the request target is malformed')
  if (named.toLowerCase() !== host.toLowerCase()) return refuse(400, 'the request names two hosts')
  return { authority: host, target: rest.startsWith('/') ? rest : `/${rest}` }
}

const isH2c = (value: string): boolean => /(?:^|,)[\t ]*h2c?\b/i.test(value)

/** Whether a request asks for another protocol on its connection, and may: an Upgrade without a body (RFC 9110 section 7.8). */
export const mayUpgrade = (method: string, version: string, fields: Readonly<Fields>): boolean => {
  const wanted = fieldValue(fields, 'upgrade')
  if (wanted === undefined || version === '1.0' || method !== 'GET' || isH2c(wanted)) return false
  const length = fieldValue(fields, 'content-length')
  return (length === undefined || length === '0') && fieldValue(fields, 'transfer-encoding') === undefined
}
