import { encodeDateToTimeSpec, encodeTimeSpecToTimestamp } from '@msgpack/msgpack'
import { Writer } from './writer.ts'

/** A number for a field that is a `float32` in Go, which takes no float64. */
export class Float32 {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}
/** A number that stays a float64 beside integers: also one without a fraction, or beyond 2^53. */
export class Float64 {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** What becomes of numbers without a fraction. */
export type Numbers = 'integers' | 'floats'

const maxDepth = 100

/** The MessagePack of a value (github.com/msgpack/msgpack, spec.md), in bytes of its own. */
export const encodeValue = (value: unknown, numbers: Numbers): Uint8Array => {
  const writer = new Writer(128)
  write(writer, value, numbers, maxDepth)
  return new Uint8Array(writer.done())
}

const write = (to: Writer, value: unknown, numbers: Numbers, depth: number): void => {
  if (depth < 0) throw new RangeError(`the value is nested deeper than ${maxDepth}`)
  if (value === null || value === undefined) to.nil()
  else if (typeof value === 'boolean') to.boolean(value)
  else if (typeof value === 'string') to.text(value)
  else if (typeof value === 'number') writeNumber(to, value, numbers)
  else if (typeof value === 'bigint') writeBigInt(to, value)
  else if (typeof value === 'object') writeObject(to, value, numbers, depth)
  else throw new TypeError(`${Object.prototype.toString.call(value)} cannot be written as MessagePack`)
}

const writeNumber = (to: Writer, value: number, numbers: Numbers): void => {
  if (numbers === 'floats' || !Number.isInteger(value) || Math.abs(value) > 2 ** 64) to.float64(value)
  else if (Number.isSafeInteger(value)) to.integer(value)
  else throw new RangeError(`${value} is beyond the integers that a number holds exactly: give a bigint, or a Float64`)
}

const writeBigInt = (to: Writer, value: bigint): void => {
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new RangeError(`${value} does not fit into 64 bits`)
  to.integer64(value)
}

const writeObject = (to: Writer, value: object, numbers: Numbers, depth: number): void => {
  if (Array.isArray(value)) {
    to.list(value.length)
    for (const each of value) write(to, each, numbers, depth - 1)
  } else if (ArrayBuffer.isView(value)) to.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  else if (value instanceof Date) to.extension(-1, encodeTimeSpecToTimestamp(encodeDateToTimeSpec(value)))
  else if (value instanceof Float32) to.float32(value.value)
  else if (value instanceof Float64) to.float64(value.value)
  else writeMap(to, value instanceof Map ? [...value] : Object.entries(value), numbers, depth)
}

const writeMap = (to: Writer, all: readonly (readonly [unknown, unknown])[], numbers: Numbers, depth: number): void => {
  const pairs = all.filter(([, each]) => each !== undefined)
  to.map(pairs.length)
  for (const [key, each] of pairs) {
    write(to, key, numbers, depth - 1)
    write(to, each, numbers, depth - 1)
  }
}
