import { Decoder, Encoder } from '@msgpack/msgpack'
import { Reader } from './reader.ts'

/** The deepest nesting of lists and maps that is read. */
export const maxDepth = 16

const options = { ignoreUndefined: true, maxDepth: 100 }
const integers = new Encoder(options)
const floats = new Encoder({ ...options, forceIntegerToFloat: true })
const wide = new Encoder({ ...options, useBigInt64: true })
const decoder = new Decoder({ useBigInt64: true })

/** MessagePack as Go reads it: integers as the shortest integer form, also over 2^32, bigint as 64 bits, Date as timestamp, Uint8Array as bin. */
export const encode = (value: unknown): Uint8Array => {
  try {
    return integers.encode(value)
  } catch (error) {
    // The library knows bigint only in a mode that writes large numbers as floats, which Go refuses for integers.
    if (!holdsBigInt(value)) throw error
    return wide.encode(widen(value))
  }
}

/** The same with every number as float64, as Go's `float64` fields want them. */
export const encodeFloats = (value: unknown): Uint8Array => floats.encode(value)

/**
 * One value that fills `bytes`: 64-bit integers as bigint, timestamps as Date, bin as Uint8Array. Throws on anything malformed, nested
 * deeper than 16, followed by more, or with a map key `__proto__`.
 */
export const decode = (bytes: Uint8Array): unknown => {
  // The library reserves what a list header promises before it reads on: so lengths and depth are checked first.
  const reader = new Reader(bytes)
  reader.skip(maxDepth)
  if (reader.at !== bytes.length) throw new RangeError('more bytes follow the value')
  return decoder.decode(bytes)
}

/** The same bytes as a Buffer, which is what the Redis client takes for bytes. */
export const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)

const holdsBigInt = (value: unknown): boolean => {
  if (typeof value === 'bigint') return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Object.values(value).some(holdsBigInt)
}

const widen = (value: unknown): unknown => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && (value > 0xffff_ffff || value < -0x8000_0000))
    return BigInt(value)
  if (Array.isArray(value)) return value.map(widen)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, widen(each)]))
}
