import { type Ip, parseIp } from './ip.ts'

/** An address and TCP port. IPv4-mapped addresses are written as IPv4. */
interface Endpoint {
  readonly address: string
  readonly port: number
}
/** Who connected, and where to. */
export interface Connected {
  readonly source: Endpoint
  readonly destination: Endpoint
}
/** `length`: bytes of the header. Without `connected` the proxy speaks for itself (LOCAL), or does not know (UNKNOWN). */
export type ProxyHeader =
  | { readonly state: 'more' }
  | { readonly state: 'bad'; readonly reason: string }
  | { readonly state: 'header'; readonly length: number; readonly connected: Connected | undefined }

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const begin = Buffer.from('PROXY ', 'latin1')
const maxV1 = 107
const maxV2 = 4_096

const more: ProxyHeader = { state: 'more' }
const bad = (reason: string): ProxyHeader => ({ state: 'bad', reason })

/**
 * Reads the PROXY protocol header, version 1 or 2, at the start of a connection ("The PROXY protocol", HAProxy, sections 2.1 and
 * 2.2). Takes all bytes so far and keeps none. TLVs are passed over.
 */
export const readProxyHeader = (bytes: Buffer): ProxyHeader => {
  if (startsAlike(bytes, signature)) return bytes.length < 16 ? more : readV2(bytes)
  if (startsAlike(bytes, begin)) return readV1(bytes)
  return bad('the connection does not begin with a PROXY header')
}

/** The header that says this. Mixed IP versions are said as IPv6. */
export const proxyHeader = (version: 'v1' | 'v2', { source, destination }: Connected): Buffer => {
  const from = parseIp(source.address)
  const to = parseIp(destination.address)
  if (!from || !to) return version === 'v1' ? Buffer.from('PROXY UNKNOWN\r\n') : v2(0x20, 0, Buffer.alloc(0))
  const four = from.version === 4 && to.version === 4
  if (version === 'v1') {
    const [a, b] = four ? [from.text, to.text] : [sixText(from), sixText(to)]
    return Buffer.from(`PROXY TCP${four ? 4 : 6} ${a} ${b} ${source.port} ${destination.port}\r\n`, 'latin1')
  }
  const addresses = four ? [...from.bytes, ...to.bytes] : [...sixBytes(from), ...sixBytes(to)]
  const ports = [source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255]
  return v2(0x21, four ? 0x11 : 0x21, Buffer.from([...addresses, ...ports]))
}

const startsAlike = (bytes: Buffer, start: Buffer): boolean => {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

const readV1 = (bytes: Buffer): ProxyHeader => {
  const end = bytes.subarray(0, maxV1).indexOf('\r\n')
  if (end < 0) return bytes.length >= maxV1 ? bad('its PROXY header has no end') : more
  const words = bytes.toString('latin1', 0, end).split(' ')
  if (words[1] === 'UNKNOWN') return { state: 'header', length: end + 2, connected: undefined }
  const [, family, from = '', to = '', sourcePort = '', destinationPort = ''] = words
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined
  const source = endpoint(version, from, sourcePort)
  const destination = endpoint(version, to, destinationPort)
  if (words.length !== 6 || !source || !destination) return bad('its PROXY header is malformed')
  return { state: 'header', length: end + 2, connected: { source, destination } }
}

const endpoint = (version: 4 | 6 | undefined, text: string, port: string): Endpoint | undefined => {
  const ip = parseIp(text)
  const right = ip && (version === 6 ? text.includes(':') : version === 4 && !text.includes(':'))
  return right && /^(?:0|[1-9][0-9]{0,4})$/.test(port) && Number(port) <= 65_535
    ? { address: ip.text, port: Number(port) }
    : undefined
}

const readV2 = (bytes: Buffer): ProxyHeader => {
  const [command = 0, family = 0] = bytes.subarray(12, 14)
  const size = bytes.readUInt16BE(14)
  if (command !== 0x20 && command !== 0x21) return bad('its PROXY header has an unknown version or command')
  if (size > maxV2) return bad('its PROXY header is too long')
  if (bytes.length < 16 + size) return more
  const length = 16 + size
  const body = bytes.subarray(16, length)
  const width = family === 0x11 ? 4 : family === 0x21 ? 16 : 0
  if (command === 0x20 || width === 0) return { state: 'header', length, connected: undefined }
  if (body.length < 2 * width + 4) return bad('its PROXY header is cut short')
  const source = { address: textOf(body.subarray(0, width)), port: body.readUInt16BE(2 * width) }
  const destination = { address: textOf(body.subarray(width, 2 * width)), port: body.readUInt16BE(2 * width + 2) }
  return { state: 'header', length, connected: { source, destination } }
}

const v2 = (command: number, family: number, body: Buffer): Buffer =>
  Buffer.concat([signature, Buffer.from([command, family, body.length >> 8, body.length & 255]), body])

const textOf = (bytes: Buffer): string => {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return parseIp(groups.join(':'))?.text ?? ''
}
const sixBytes = (ip: Ip): readonly number[] =>
  ip.version === 6 ? ip.bytes : [...Array<number>(10).fill(0), 255, 255, ...ip.bytes]
const sixText = (ip: Ip): string => (ip.version === 6 ? ip.text : `::ffff:${ip.text}`)
