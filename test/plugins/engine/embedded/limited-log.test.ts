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

test('a flood from one source hides no other source, and many sources cannot fill the log', () => {
  vi.useFakeTimers()
  const said: string[] = []
  const log = limitedLog((message) => said.push(message), 3, 5)
  for (let count = 0; count < 50; count++) log('flood', {}, 'one')
  log('quiet', {}, 'other')
  expect(said).toEqual(['flood', 'flood', 'flood', 'quiet'])
  for (let source = 0; source < 10_000; source++) log('swarm', {}, `s${source}`)
  expect(said.length).toBe(3 + 99)
  vi.advanceTimersByTime(1_000)
  log('next', {}, 'one')
  vi.useRealTimers()
  expect(said.slice(-2)).toEqual([`${47 + 10_000 - 98} more messages like the last ones were left out`, 'next'])
})
