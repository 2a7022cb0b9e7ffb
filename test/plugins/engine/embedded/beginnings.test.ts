import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { beginnings } from '../../../../plugins/engine/embedded/h2/beginnings.ts'

/** Requests that one connection begins now, of so many fields each. */
const begun = (fields: number): number => {
  let count = 0
  for (let own = 0; beginnings.admit(own); count++) own += beginnings.spend(fields)
  return count
}

test('requests of a thousand fields are begun few at a time, and none is for ever refused', async () => {
  await turn()
  expect(begun(10)).toBeGreaterThan(20)
  await turn()
  expect(begun(1_000)).toBe(1)
  expect(begun(1_000)).toBe(1)
  expect(begun(1_000)).toBe(1)
  expect(begun(1_000)).toBe(0)
  await turn()
  expect(begun(1_000)).toBe(1)
})
