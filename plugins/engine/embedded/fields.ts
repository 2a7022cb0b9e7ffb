import type { Socket } from 'node:net'
import type { ConnectionBuffers } from './buffer-budget.ts'
import type { ClientUsage } from './client-limits.ts'
import type { BoundConnection } from './connection-auth.ts'

/** Header fields as Node gives them: names and values by turns, as they were spelled. */
export type Fields = string[]

/** Who sent a request, and how it came. */
export interface Client {
  /** IP address as text, an IPv4-mapped one as IPv4. */
  readonly address: string
  readonly secure: boolean
  /** The port that it connected to, as clients know it. */
  readonly port: string
  /** What it says in X-Forwarded-* of clients before it is believed. */
  readonly trusted: boolean
  /** Of its address; undefined where that has no limits. */
  readonly usage?: ClientUsage | undefined
  /** The host of the TLS handshake, canonical. */
  readonly serverName: string | undefined
  /** Its TCP connection. */
  readonly socket?: Socket
  /** The backend connection on which it has logged in. */
  bound?: BoundConnection
  /** What is held in memory for its connection. */
  readonly buffers: ConnectionBuffers
}

/** Without the optional whitespace around it, which is blanks and tabs only (RFC 9110 section 5.6.3): `trim` takes twenty characters more. */
export const trimBlanks = (text: string): string => {
  let [begin, end] = [0, text.length]
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--
  return begin === 0 && end === text.length ? text : text.slice(begin, end)
}
const isBlank = (code: number): boolean => code === 32 || code === 9

type Rule = 'keep' | 'hop' | 'connection' | 'forwarding' | 'length' | 'host' | 'cookie'

// Spellings seen, so that the usual ones cost one look-up. Peers choose them, so their number and their length are limited.
const known = new Map<string, Rule>()
const maxKnown = 1_000
const maxKnownLength = 64

const ruleOf = (name: string): Rule => {
  const found = known.get(name)
  if (found !== undefined) return found
  const rule = classify(name.toLowerCase())
  if (name.length > maxKnownLength) return rule
  // Full of names that nobody uses, it would stay so.
  if (known.size >= maxKnown) known.clear()
  // A copy: a part of a text keeps all of the text in memory.
  known.set(Buffer.from(name, 'latin1').toString('latin1'), rule)
  return rule
}

const classify = (lower: string): Rule => {
  switch (lower) {
    case 'connection':
      return 'connection'
    case 'host':
      return 'host'
    case 'content-length':
      return 'length'
    case 'cookie':
      return 'cookie'
    // RFC 9110 section 7.6.1, and what older proxies made of it.
    case 'keep-alive':
    case 'proxy-connection':
    case 'proxy-authenticate':
    case 'proxy-authorization':
    case 'te':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
      return 'hop'
  }
  // Backends that speak CGI read `X_Forwarded_For` as `X-Forwarded-For`.
  const dashed = lower.replaceAll('_', '-')
  return dashed === 'forwarded' || dashed === 'x-real-ip' || /^x-forwarded(-|$)/.test(dashed) ? 'forwarding' : 'keep'
}

/** The names that a Connection field lists (RFC 9110 section 7.6.1), in lower case; undefined where there are none but the usual. */
const listed = (value: string, before: Set<string> | undefined): Set<string> | undefined => {
  const lower = value.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return before
  const names = before ?? new Set<string>()
  for (const part of lower.split(',')) {
    const name = trimBlanks(part)
    if (name !== '' && name !== 'close' && name !== 'keep-alive') names.add(name)
  }
  return names
}

const drop = (fields: Fields, names: Set<string>, from: number): void => {
  let kept = from
  for (let i = from; i < fields.length; i += 2) {
    const [name = '', value = ''] = [fields[i], fields[i + 1]]
    if (names.has(name.toLowerCase())) continue
    fields[kept++] = name
    fields[kept++] = value
  }
  fields.length = kept
}

/**
 * What goes on to the backend: Host first, then what is end to end, in order and as spelled, then what we say of the client. Content-Length and
 * Transfer-Encoding are left to whoever frames the body. What the client itself says of its address stays only where it is trusted.
 */
export const requestFields = (fields: Readonly<Fields>, host: string, client: Client): Fields => {
  const out: Fields = ['Host', host]
  let names: Set<string> | undefined
  let cookie = 0
  let forwarded: Map<string, string> | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    switch (ruleOf(name)) {
      case 'keep':
        out.push(name, value)
        break
      case 'cookie':
        // RFC 9113 section 8.2.3: HTTP/2 may split what HTTP/1.1 has to see as one field.
        if (cookie > 0) out[cookie] = `${out[cookie]}; ${value}`
        else cookie = out.push(name, value) - 1
        break
      case 'connection':
        names = listed(value, names)
        break
      case 'forwarding':
        // A proxy that adds `X-Forwarded-For` may pass a client's `X_Forwarded_For` on.
        if (client.trusted && !name.includes('_')) forwarded = believed(name.toLowerCase(), value, forwarded)
        break
      case 'host':
      case 'hop':
      case 'length':
        break
    }
  }
  if (names) drop(out, names, 2)
  if (forwarded) sayWithTrust(out, host, client, forwarded)
  else {
    const proto = client.secure ? 'https' : 'http'
    out.push('X-Forwarded-For', client.address, 'X-Forwarded-Proto', proto)
    out.push('X-Forwarded-Host', reachedHost(host, client.port))
    out.push('X-Forwarded-Port', client.port, 'X-Real-Ip', client.address)
  }
  return out
}

const believed = (name: string, value: string, before: Map<string, string> | undefined): Map<string, string> => {
  const all = before ?? new Map<string, string>()
  const earlier = all.get(name)
  return all.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
}

const sayWithTrust = (out: Fields, host: string, client: Client, said: Map<string, string>): void => {
  const chain = said.get('x-forwarded-for')
  out.push('X-Forwarded-For', chain === undefined ? client.address : `${chain}, ${client.address}`)
  out.push('X-Forwarded-Proto', said.get('x-forwarded-proto') ?? (client.secure ? 'https' : 'http'))
  out.push('X-Forwarded-Host', said.get('x-forwarded-host') ?? host)
  out.push('X-Forwarded-Port', said.get('x-forwarded-port') ?? client.port)
  out.push('X-Real-Ip', said.get('x-real-ip') ?? client.address)
  const ours = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip'])
  for (const [name, value] of said) if (!ours.has(name)) out.push(name, value)
}

/** The host with its port where that is the one which the client reached: a client may write any. */
const reachedHost = (host: string, port: string): string => {
  const colon = host.lastIndexOf(':')
  return colon <= host.lastIndexOf(']') || host.slice(colon + 1) === port ? host : host.slice(0, colon)
}

/**
 * The fields of a response that are forwarded to the client: the end-to-end ones. `trailer` announcements stay where trailers may follow. A
 * length stays, but not in interim responses and 204, which must have none (RFC 9110 section 8.6): HTTP/2 clients break off at it.
 */
export const responseFields = (fields: Readonly<Fields>, status = 200): Fields => {
  const out: Fields = []
  const length = status !== 204 && status >= 200
  let names: Set<string> | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const rule = ruleOf(name)
    if (rule === 'connection') names = listed(fields[i + 1] ?? '', names)
    else if (rule !== 'hop' && (rule !== 'length' || length)) out.push(name, fields[i + 1] ?? '')
  }
  if (names) drop(out, names, 0)
  return out
}

/** What of the trailers of either side goes on: nothing that means something in a head, since some merge the two (RFC 9110 section 6.5.1). */
export const trailerFields = (fields: Readonly<Fields>): Fields => {
  const out: Fields = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (ruleOf(name) === 'keep' && !ofHeads.has(name.toLowerCase())) out.push(name, fields[i + 1] ?? '')
  }
  return out
}
const ofHeads = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'expect',
  'max-forwards',
  'set-cookie',
  'trailer',
])

/** What of a 101 goes back to the client. */
export const switchingFields = (fields: Readonly<Fields>): Fields => [
  ...responseFields(fields),
  'Connection',
  'Upgrade',
  'Upgrade',
  fieldValue(fields, 'upgrade') ?? '',
]

/** The value of a field, its name in lower case; repeated ones joined as a list. */
export const fieldValue = (fields: Readonly<Fields>, lower: string): string | undefined => {
  let found: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length !== lower.length || name.toLowerCase() !== lower) continue
    found = found === undefined ? fields[i + 1] : `${found}, ${fields[i + 1]}`
  }
  return found
}
