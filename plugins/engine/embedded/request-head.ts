import type { Exchange } from './exchange.ts'
import { type Fields, fieldValue, requestFields } from './fields.ts'

/** Fields of a head that HTTP/2 takes; Node's own limit of 128 is less than a page with many cookies has. */
export const mostFields = 2_000
/** Bytes of a head that HTTP/2 sends, as it guesses them before packing: what HTTP/1.1 lets through, and 12 more a field. */
export const mostHead = 262_144

const wantsLength = new Set(['POST', 'PUT', 'PATCH'])

/** The head of a request as an HTTP/1.1 backend gets it. `chunked`: how the body that follows is framed. */
export const requestHead = (exchange: Exchange): { readonly head: string; readonly chunked: boolean } => {
  const { method, target, authority, client, fields, body, length, upgrade } = exchange
  const out = requestFields(fields, authority, client)
  let head = `${method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i < out.length; i += 2) head += `${out[i]}: ${out[i + 1]}\r\n`
  const chunked = body !== undefined && length === undefined
  if (chunked) head += 'Transfer-Encoding: chunked\r\n'
  else if (body || length !== undefined) head += `Content-Length: ${length}\r\n`
  // RFC 9110 section 8.6: methods that usually have a body say that there is none.
  else if (wantsLength.has(method)) head += 'Content-Length: 0\r\n'
  if (upgrade) head += `Connection: Upgrade\r\nUpgrade: ${fieldValue(fields, 'upgrade')}\r\n`
  return { head: `${head}\r\n`, chunked }
}

/** The same for an HTTP/2 backend, pseudo-header fields first (RFC 9113 section 8.3.1). */
export const requestFieldsH2 = (exchange: Exchange, scheme: 'http' | 'https'): Record<string, string | string[]> => {
  const { method, target, authority, client, fields, body, length } = exchange
  const out: Fields = requestFields(fields, authority, client).slice(2)
  const trailers = fieldValue(fields, 'te')?.toLowerCase().includes('trailers')
  return {
    ':method': method,
    ':path': target,
    ':scheme': scheme,
    ':authority': authority,
    ...record(out),
    ...(body && length !== undefined && { 'content-length': length }),
    ...(trailers && { te: 'trailers' }),
  }
}

/** Fields as Node's HTTP/2 takes them: names in lower case, repeated ones as lists. Any name may be one, `constructor` and `__proto__` too. */
export const record = (fields: Readonly<Fields>): Record<string, string | string[]> => {
  const all: Record<string, string | string[]> = Object.create(null)
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]?.toLowerCase() ?? ''
    const value = fields[i + 1] ?? ''
    const before = all[name]
    if (before === undefined) all[name] = value
    else if (typeof before === 'string') all[name] = [before, value]
    else before.push(value)
  }
  return all
}

/** Whether a request is gRPC by its content type, such as `application/grpc+proto`; gRPC-Web is not, being plain HTTP. */
export const isGrpc = (fields: Readonly<Fields>): boolean => {
  const type = fieldValue(fields, 'content-type')
  return type !== undefined && /^application\/grpc(?:$|[+;])/i.test(type)
}
