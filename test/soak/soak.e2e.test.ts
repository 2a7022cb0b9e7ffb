import { describe, expect, it } from 'vitest'
import { lines } from './flat.ts'
import { soak } from './soak.ts'

describe('a soak', () => {
  it('of half a minute does all kinds of work, without a failure, and holds no more descriptors and timers at its end', async () => {
    const { done, failed, lines, samples } = await soak({ seconds: 30, every: 1, filled: false })
    // A handshake that a busy machine does not get done in 5 s is closed by the gateway, and begun again by its client: no request is lost.
    expect(failed).toEqual([])
    expect(Object.keys(done).length).toBe(7)
    expect(samples.length).toBeGreaterThan(4)
    // Memory is warming up for longer than this.
    expect(lines.filter(({ measure, flat }) => !flat && (measure === 'descriptors' || measure === 'timers'))).toEqual([])
  })

  it('tells what grows from what is flat', () => {
    const run = (leak: number) =>
      Array.from({ length: 400 }, (_, n) => ({
        at: n * 5_000,
        rss: (150 << 20) + (n % 7) * (1 << 20) + leak * n * 300_000,
        heap: (40 << 20) + leak * n * 300_000,
        descriptors: 60 + (n % 5) + leak * n,
        timers: 20 + (n % 3) + leak * n,
      }))
    expect(lines(run(0)).map(({ flat }) => flat)).toEqual([true, true, true, true])
    expect(lines(run(1)).map(({ flat }) => flat)).toEqual([false, false, false, false])
    expect(lines(run(1))[2]?.slope).toBeCloseTo(720, -1)
  })
})
