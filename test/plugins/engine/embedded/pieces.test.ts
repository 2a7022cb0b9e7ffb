import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Pieces } from '../../../../plugins/engine/embedded/h2/pieces.ts'

const step = fc.oneof(
  fc.record({ add: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9_000 })) }),
  fc.record({ take: fc.integer({ min: 1, max: 3_000 }) }),
)

const bytes = (pieces: readonly Buffer[]) => pieces.reduce((sum, { length }) => sum + length, 0)

test('bytes leave in the order in which they came, whatever their pieces', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pieces = new Pieces()
      const [came, left]: [Buffer[], Buffer[]] = [[], []]
      let next = 0
      for (const one of [...steps, ...Array.from({ length: 200 }, () => ({ take: 2_000_000 }))]) {
        if ('add' in one) {
          const piece = Buffer.from(Array.from({ length: one.add }, () => next++ & 255))
          came.push(Buffer.from(piece))
          pieces.add(piece)
        } else {
          const piece = pieces.take(one.take)
          expect(piece === undefined || (piece.length > 0 && piece.length <= one.take)).toBe(true)
          // What is given away is the taker's, whatever comes after.
          if (piece) left.push(piece)
        }
        expect(pieces.length).toBe(bytes(came) - bytes(left))
      }
      expect(Buffer.concat(left).equals(Buffer.concat(came))).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('small ones that wait are few', () => {
  const pieces = new Pieces()
  for (let at = 0; at < 60_000; at++) pieces.add(Buffer.of(at & 255))
  let count = 0
  while (pieces.take(100_000)) count++
  expect(count).toBeLessThan(10)
})
