import { expect, test, vi } from 'vitest'
import { limitedLog } from '../../../../plugins/engine/embedded/limited-log.ts'

test('a log with a limit leaves out what is too much in a second, and says how much that was', () => {
  vi.useFakeTimers()
  const said: string[] = []
  const log = limitedLog((message) => said.push(message), 2)
  for (let count = 1; count <= 5; count++) log(`${count}`)
  vi.advanceTimersByTime(1_000)
  log('6')
  vi.useRealTimers()
  expect(said).toEqual(['1', '2', '3 more messages like the last ones were left out', '6'])
})
