import { decodeValue } from './decode-value.ts'
import { encodeValue } from './encode-value.ts'
import { Reader } from './reader.ts'

export { Float32, Float64 } from './encode-value.ts'

/** The deepest nesting of lists and maps that is read. */
export const maxDepth = 16

/**
 * MessagePack as Go reads it: safe integers in the shortest integer form, bigint as 64 bits, other numbers as float64, `Float32` and
 * `Float64` as such, `Map` and objects as maps, Date as timestamp, Uint8Array as bin; undefined fields are left out. Throws a RangeError
 * for an integer of 64 bits that its number may not hold exactly (beyond 2^53: give a bigint) and for a bigint beyond 64 bits.
 */
export const encode = (value: unknown): Uint8Array => encodeValue(value, 'integers')

/** The same with every number as float64, as Go's `float64` fields want them. */
export const encodeFloats = (value: unknown): Uint8Array => encodeValue(value, 'floats')

/**
 * One value that fills `bytes`: 64-bit integers as bigint, timestamps as Date, bin and text that is no UTF-8 as Uint8Array, maps as
 * objects whose keys that are no text are written as text (`1`, `true`). Throws on anything malformed, nested deeper than 16, followed by
 * more, or with a map key `__proto__`.
 */
export const decode = (bytes: Uint8Array): unknown => {
  const reader = new Reader(bytes)
  reader.skip(maxDepth)
  if (reader.at !== bytes.length) throw new RangeError('more bytes follow the value')
  return decodeValue(bytes)
}

/** The same bytes as a Buffer, which is what the Redis client takes for bytes. */
export const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)
