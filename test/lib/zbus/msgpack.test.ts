import { decode as decodeByLibrary, encode as encodeByLibrary } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode, encodeFloats, Float32, Float64, readRequest } from '../../../lib/zbus/index.ts'
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
  it('writes a Map as a map, with keys of any type, and float32 and float64 where a field wants them', () => {
    const map = new Map<unknown, unknown>([
      [1, 'a'],
      [true, undefined],
      ['b', new Map([[null, 2n]])],
    ])
    expect(hex(encode(map))).toBe('8201a161a16281c0cf0000000000000002')
    expect(hex(encode([new Float32(1.5), new Float64(1), new Float64(2 ** 60)]))).toBe(
      '93ca3fc00000cb3ff0000000000000cb43b0000000000000',
    )
  })
  it.each([2 ** 53, -(2 ** 53), 2 ** 64, 2n ** 64n, -(2n ** 63n) - 1n])(
    'refuses %s, which would come out as another number',
    (value) => {
      expect(() => encode({ value })).toThrow(RangeError)
    },
  )
  it('writes the ends of 64 bits, and of the integers that a number holds', () => {
    const ends = [2n ** 64n - 1n, -(2n ** 63n), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    expect(decode(encode(ends))).toEqual(ends.map((end) => (typeof end === 'number' ? BigInt(end) : end)))
  })
  it('refuses functions, symbols and rings', () => {
    const ring: unknown[] = []
    ring.push(ring)
    for (const value of [() => 1, Symbol('a'), ring]) expect(() => encode([value])).toThrow()
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
  it('reads maps whose keys are no text, as Go has them', () => {
    expect(decode(bytes('8501a161c3a162cb3ff8000000000000a163cf0020000000000001a164c0a165'))).toEqual({
      1: 'a',
      true: 'b',
      1.5: 'c',
      '9007199254740993': 'd',
      null: 'e',
    })
    expect(decode(bytes('829101a161c40161a162'))).toEqual({ '[1]': 'a', a: 'b' })
  })
  it('reads text that is no UTF-8 as bytes', () => {
    expect(decode(bytes('93a2c0afa161d901ff'))).toEqual([bytes('c0af'), 'a', bytes('ff')])
    expect(decode(bytes('a3efbfbd'))).toBe('\ufffd')
  })
  it('reads float32, and extensions of others as their bytes', () => {
    expect(decode(bytes('ca3fc00000'))).toBe(1.5)
    expect(decode(bytes('d505aabb'))).toMatchObject({ type: 5, data: Buffer.of(0xaa, 0xbb) })
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

describe('beside the library', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.date({ noInvalidDate: true, min: new Date(-62_135_596_800_000) }),
    fc.uint8Array({ maxLength: 300 }),
  )
  const keys = fc.string().filter((key) => key !== '__proto__')
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('node'), { maxLength: 20 }),
      fc.dictionary(keys, tie('node'), { noNullPrototype: true, maxKeys: 20 }),
    ),
  })).node
  it('writes the same bytes', () => {
    const holds = (each: unknown): boolean =>
      typeof each === 'number'
        ? !Number.isInteger(each) || Number.isSafeInteger(each) || Math.abs(each) > 2 ** 64
        : typeof each !== 'object' || each === null || ArrayBuffer.isView(each) || Object.values(each).every(holds)
    fc.assert(
      fc.property(value.filter(holds), (each) => {
        expect(hex(encode(each))).toBe(hex(encodeByLibrary(each)))
      }),
    )
  })
  it('reads the same values', () => {
    fc.assert(
      fc.property(value, (each) => {
        const encoded = encodeByLibrary(each)
        expect(decode(encoded)).toEqual(decodeByLibrary(encoded, { useBigInt64: true }))
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
