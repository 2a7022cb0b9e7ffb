import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode, encodeFloats, readRequest } from '../../../lib/zbus/index.ts'
import { bytes, hex, neighbours } from './vectors.ts'

describe('encode', () => {
  it('writes integers over 2^32 as integers, which Go wants', () => {
    expect(hex(encode(2 ** 40))).toBe('cf0000010000000000')
    expect(hex(encode(-(2 ** 40)))).toBe('d3ffffff0000000000')
    expect(hex(encode({ a: 5n, b: 2 ** 40 }))).toBe('82a161cf0000000000000005a162cf0000010000000000')
  })
  it('leaves out undefined fields and writes dates as timestamps', () => {
    expect(hex(encode({ a: undefined, b: 1 }))).toBe('81a16201')
    expect(hex(encode(new Date(1_000)))).toBe('d6ff00000001')
  })
  it('writes every number as float64 where asked', () => {
    expect(hex(encodeFloats([0, 1, 2.5]))).toBe('93cb0000000000000000cb3ff0000000000000cb4004000000000000')
  })
})

describe('decode', () => {
  it('reads what the other modules of a node answer', () => {
    for (const [name, answer] of Object.entries(neighbours)) {
      const { Output } = decode(bytes(answer)) as { Output: { Data: Uint8Array | null } }
      if (Output.Data !== null) expect(() => decode(Output.Data!), name).not.toThrow()
    }
  })
  it('reads 64-bit integers whole', () => {
    expect(decode(bytes('cfffffffffffffffff'))).toBe(2n ** 64n - 1n)
  })
  it('takes sixteen levels and refuses seventeen', () => {
    const nested = (depth: number) => bytes(`${'91'.repeat(depth)}c0`)
    expect(() => decode(nested(16))).not.toThrow()
    expect(() => decode(nested(17))).toThrow('nested too deep')
    expect(() => decode(nested(100_000))).toThrow('nested too deep')
  })
  it.each([
    ['a list that promises 2^32-1 values', 'ddffffffff'],
    ['a map that promises 2^32-1 pairs', 'dfffffffff'],
    ['a text that promises 2^32-1 bytes', 'dbffffffff'],
    ['an extension that promises 2^32-1 bytes', 'c9ffffffff01'],
    ['a byte that is no type', 'c1'],
    ['nothing', ''],
    ['two values', 'c0c0'],
    ['a key __proto__', '81a95f5f70726f746f5f5f80'],
  ])('refuses %s at once', (_, given) => {
    expect(() => decode(bytes(given))).toThrow()
  })
  it('gives back what was encoded', () => {
    const fraction = fc.double({ noNaN: true, noInteger: true })
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fraction,
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
    )
    const keys = fc.string().filter((key) => key !== '__proto__')
    const value = fc.letrec((tie) => ({
      node: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie('node')), fc.dictionary(keys, tie('node'), { noNullPrototype: true })),
    })).node
    fc.assert(
      fc.property(value, (each) => {
        expect(decode(encode(each))).toEqual(each)
      }),
    )
  })
})

it('reads any bytes as a request, a part of one or none, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 512 }), (any) => void readRequest(any)),
    { numRuns: 5_000 },
  )
})
