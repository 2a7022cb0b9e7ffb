import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteBuffer } from '../../lib/byte-buffer.ts'
import { expectLinearCost } from '../linear-cost.ts'

test('bytes that are appended are read as one, and a piece is left as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), { maxLength: 4 }), (rounds) => {
      const buffer = new ByteBuffer()
      for (const pieces of rounds) {
        const before = pieces.map((piece) => Buffer.from(piece))
        for (const piece of pieces) buffer.append(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
        const all = Buffer.concat(before)
        expect([buffer.length, buffer.bytes.equals(all), buffer.take().equals(all)]).toEqual([all.length, true, true])
        expect(buffer.length).toBe(0)
        expect(pieces.every((piece, at) => before[at]?.equals(piece))).toBe(true)
      }
    }),
  )
})

test('bytes that were taken stay as they are while others are appended', () => {
  const buffer = new ByteBuffer()
  for (const text of ['a', 'b', 'c']) buffer.append(Buffer.from(text))
  const taken = buffer.take()
  for (const text of ['x', 'y', 'z']) buffer.append(Buffer.from(text))
  expect([taken.toString(), buffer.bytes.toString()]).toEqual(['abc', 'xyz'])
})

test('appending single bytes costs as much for the last as for the first', () => {
  const byte = Buffer.alloc(1)
  expectLinearCost((size) => {
    const buffer = new ByteBuffer()
    for (let at = 0; at < size; at++) buffer.append(byte)
  }, 20_000)
})
