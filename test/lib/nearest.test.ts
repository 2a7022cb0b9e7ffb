import { expect, test } from 'vitest'
import { nearest } from '../../lib/nearest.ts'

test.each([
  ['--borker', ['--broker', '--root'], '--broker'],
  ['backend', ['fqdn', 'backends'], 'backends'],
  ['stats', ['status', 'list'], 'status'],
  ['lst', ['list', 'get'], 'list'],
  ['frobnicate', ['list', 'get'], undefined],
  ['x', ['list', 'get'], undefined],
])('%s among %j is %s', (word, candidates, found) => {
  expect(nearest(word, candidates)).toBe(found)
})
