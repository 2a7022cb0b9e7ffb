import { expect, test } from 'vitest'
import { patience, timeAwake } from '../../lib/patience.ts'

const standStill = (milliseconds: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)

test('time in which the process stands still does not count, and the rest does', async () => {
  const began = { awake: timeAwake(), clock: performance.now() }
  const late = new Promise<number>((done) => patience(1_000, () => done(timeAwake() - began.awake)))
  standStill(3_000)
  expect(timeAwake() - began.awake).toBeLessThan(2_500)
  // Again as long as was left of it. Each of the two timers may be a millisecond or so early.
  expect(await late).toBeGreaterThan(990)
  expect(performance.now() - began.clock).toBeGreaterThan(3_400)
})

test('what is called off does not come, before its time and at the very last', async () => {
  let came = 0
  const off = patience(1, () => came++)
  off()
  const last = patience(0, () => came++)
  await new Promise<void>((done) =>
    setTimeout(() => {
      last()
      done()
    }, 1),
  )
  await new Promise((done) => setTimeout(done, 20))
  expect(came).toBe(0)
})
