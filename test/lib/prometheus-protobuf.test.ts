import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFamilies } from '../../lib/prometheus-protobuf.ts'

test('39: says that it is cut short, or no protobuf, and never hangs or reads beyond its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readFamilies(bytes, () => undefined, new Set(['']))
      } catch (error) {
        expect(String(error)).toMatch(/cut short|too long|wire type/)
      }
    }),
    { numRuns: 5_000 },
  )
})
