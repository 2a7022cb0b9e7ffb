import { describe, expect, it, test } from 'vitest'
import { timeShare } from '../../lib/time-share.ts'

const clock = () => {
  let at = 0
  const pass = (milliseconds: number) => {
    at += milliseconds
  }
  return { now: () => at, pass }
}

test('work gets its share of the time, and a burst after a rest', () => {
  const { now, pass } = clock()
  const share = timeShare({ share: 0.25, burst: 50, now })
  let done = 0
  for (let at = 0; at < 1_000; at++) {
    if (share.left()) {
      share.spend(() => pass(5))
      done += 5
    } else pass(5)
  }
  expect(done / now()).toBeGreaterThan(0.24)
  expect(done / now()).toBeLessThan(0.27)
})

test('a process that stood still in the middle of the work goes on with it', () => {
  const { now, pass } = clock()
  const share = timeShare({ share: 0.25, burst: 50, now })
  share.spend(() => pass(10_000))
  expect(share.left()).toBe(true)
})

test('work that takes long at a time waits for its share', () => {
  const { now, pass } = clock()
  const share = timeShare({ share: 0.25, burst: 50, now })
  share.spend(() => pass(100))
  share.spend(() => pass(100))
  expect(share.left()).toBe(false)
  pass(201)
  expect(share.left()).toBe(true)
})

describe('timeShare', () => {
  it('gives its burst, then a share of the time that passes', () => {
    let at = 0
    const time = timeShare({ share: 0.25, burst: 10, now: () => at })
    const work = (ms: number) =>
      time.spend(() => {
        at += ms
      })
    expect(time.left()).toBe(true)
    work(10)
    work(10)
    expect(time.left()).toBe(false)
    at += 60
    expect(time.left()).toBe(true)
    at += 1_000_000
    work(11)
    expect(time.left()).toBe(true)
    work(4)
    expect(time.left()).toBe(false)
  })
  it('charges work that throws', () => {
    let at = 0
    const time = timeShare({ burst: 1, now: () => at })
    for (let tries = 0; tries < 2; tries++)
      expect(() =>
        time.spend(() => {
          at += 1
          throw new Error('no')
        }),
      ).toThrow('no')
    expect(time.left()).toBe(false)
  })
})
