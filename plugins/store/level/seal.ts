import { crc32 } from 'node:zlib'

/** What was read is not what was written. */
export class Damage extends Error {
  constructor(key: string) {
    super(`the record ${key} is damaged`)
  }
}

/** LevelDB reads its tables back unchecked, and one flipped bit in a backend would send a tenant's traffic elsewhere: each value begins with a checksum of its key and itself. */
export const seal = (key: string, text: string) => checksum(key, text) + text
export const sealBinary = (key: string, value: Uint8Array) => Buffer.concat([Buffer.from(checksum(key, value)), value])

/** The text that was sealed; throws Damage. */
export const unseal = (key: string, value: string) => {
  const text = value.slice(length)
  if (Number.parseInt(value.slice(0, length), 16) !== sum(key, text)) throw new Damage(key)
  return text
}
export const unsealBinary = (key: string, value: Uint8Array) => {
  if (!isIntact(key, value)) throw new Damage(key)
  return Uint8Array.from(value.subarray(length))
}
export const isIntact = (key: string, value: Uint8Array) =>
  Buffer.from(value.subarray(0, length)).toString('latin1') === checksum(key, value.subarray(length))

const length = 8
const checksum = (key: string, value: string | Uint8Array) => sum(key, value).toString(16).padStart(length, '0')
/** A route names itself, and there are many of them: its key is left out. */
const sum = (key: string, value: string | Uint8Array) => crc32(value, key.startsWith('route!') ? 0 : crc32(key))
