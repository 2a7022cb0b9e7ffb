import { createHmac, timingSafeEqual } from 'node:crypto'
import { readName } from '../../../lib/dns/domain-name.ts'
import { endOfName, lastRecord, u16, wireName, wireRecord } from './wire.ts'

export const algorithms = { 'hmac-sha256': 'sha256', 'hmac-sha384': 'sha384', 'hmac-sha512': 'sha512' } as const
export interface Key {
  readonly name: string
  readonly algorithm: keyof typeof algorithms
  readonly secret: Buffer
}
export interface Signed {
  readonly message: Buffer
  readonly mac: Buffer
}

const type = 250
const any = 255
/** Seconds that the clocks of both may differ. */
const fudge = 300

/** The message with a TSIG record behind it (RFC 8945 section 4). */
export const sign = (message: Buffer, key: Key, now = Math.floor(Date.now() / 1_000)): Signed => {
  const mac = macOf([message], key, { signed: now, fudge, error: 0, other: Buffer.alloc(0) })
  const id = message.subarray(0, 2)
  const data = Buffer.concat([wireName(`${key.algorithm}`), time(now), u16(fudge, mac.length), mac, id, u16(0, 0)])
  const signed = Buffer.concat([message, wireRecord({ name: canonical(key), type, class: any, ttl: 0, data })])
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10)
  return { message: signed, mac }
}

/** What the TSIG of an answer says: `valid`, one of the errors of RFC 8945 section 5.2 (16 to 18, 22), or nothing that could be believed. */
export const check = (
  answer: Buffer,
  key: Key,
  asked: Signed,
  now = Math.floor(Date.now() / 1_000),
): 'valid' | 'invalid' | number => {
  const last = lastRecord(answer)
  if (!last || last.type !== type) return 'invalid'
  const { at, data } = last
  if (nameAt(answer, at) !== canonical(key) || nameAt(data, 0) !== key.algorithm) return 'invalid'
  const algorithm = endOfName(data, 0)
  const signed = data.readUIntBE(algorithm, 6)
  const spread = data.readUInt16BE(algorithm + 6)
  const size = data.readUInt16BE(algorithm + 8)
  const mac = data.subarray(algorithm + 10, algorithm + 10 + size)
  const [id = 0, error = 0, length = 0] = [0, 2, 4].map((offset) => data.readUInt16BE(algorithm + 10 + size + offset))
  const other = data.subarray(data.length - length, data.length)
  // These two come without a signature: the server has no key in common with us.
  if (error === 16 || error === 17) return error
  const message = Buffer.from(answer.subarray(0, at))
  message.writeUInt16BE(id, 0)
  message.writeUInt16BE(answer.readUInt16BE(10) - 1, 10)
  // The reply to this message: the id of before any forwarder, and of the time around now (RFC 8945 section 5.2.3).
  if (id !== asked.message.readUInt16BE(0) || Math.abs(now - signed) > Math.min(spread, fudge)) return 'invalid'
  const own = macOf([u16(asked.mac.length), asked.mac, message], key, { signed, fudge: spread, error, other })
  if (own.length !== mac.length || !timingSafeEqual(own, mac)) return 'invalid'
  return error === 0 ? 'valid' : error
}

interface Variables {
  readonly signed: number
  readonly fudge: number
  readonly error: number
  readonly other: Buffer
}
/** Over the parts and the TSIG variables (RFC 8945 section 4.3.3), whose class is ANY and whose TTL is 0. */
const macOf = (parts: readonly Buffer[], key: Key, { signed, fudge, error, other }: Variables): Buffer => {
  const hmac = createHmac(algorithms[key.algorithm], key.secret)
  for (const part of parts) hmac.update(part)
  hmac.update(Buffer.concat([wireName(canonical(key)), u16(any, 0, 0), wireName(key.algorithm), time(signed)]))
  hmac.update(Buffer.concat([u16(fudge, error, other.length), other]))
  return hmac.digest()
}

const nameAt = (bytes: Buffer, at: number): string | undefined => readName(bytes, at)?.toLowerCase()
const canonical = ({ name }: Key): string => name.toLowerCase()
const time = (seconds: number): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(seconds, 0, 6)
  return bytes
}
