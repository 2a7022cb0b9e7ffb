import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { tellHealth } from '../../core/tell-health.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

type Health = Parameters<typeof tellHealth>[0]
const open = () => {
  const health: { state: Health['state']; reason?: string } = { state: 'ok' }
  const told: string[] = []
  const stop = new AbortController()
  const changed = tellHealth(health, stop.signal, ({ state, reason }) => void told.push(`${state} ${reason ?? ''}`.trim()))
  const say = (state: Health['state'], reason: string) => {
    health.state = state
    health.reason = reason
    changed()
  }
  return { say, told, stop }
}

test('a reason with a count that changes all the time is told once a minute, and the last one at its end', () => {
  const { say, told } = open()
  for (let count = 1; count <= 1_000; count++) say('degraded', `${count} fail`)
  expect(told).toEqual(['degraded 1 fail'])
  vi.advanceTimersByTime(60_000)
  expect(told).toEqual(['degraded 1 fail', 'degraded 1000 fail'])
})

test('another state is told at once, until it changes all the time', () => {
  const { say, told } = open()
  say('degraded', 'a')
  say('down', 'b')
  expect(told).toEqual(['degraded a', 'down b'])
  for (let turn = 0; turn < 1_000; turn++) say(turn % 2 === 0 ? 'degraded' : 'down', 'c')
  expect(told).toHaveLength(10)
})

test('what was taken back before the minute is over is not told, and nothing is told after the end', () => {
  const { say, told, stop } = open()
  say('degraded', 'a')
  say('degraded', 'b')
  say('degraded', 'a')
  vi.advanceTimersByTime(60_000)
  expect(told).toEqual(['degraded a'])
  say('degraded', 'b')
  say('degraded', 'c')
  stop.abort()
  vi.advanceTimersByTime(120_000)
  expect(told).toEqual(['degraded a', 'degraded b'])
})
