import { describe, expect, it } from 'vitest'
import { lines } from './flat.ts'
import { soak } from './soak.ts'

describe('a soak', () => {
  it('of half a minute does all kinds of work, and holds no more descriptors and timers at its end', async () => {
    const { done, failed, lines, samples } = await soak(30, 1)
    // A handshake that a busy machine does not get done in 5 s is closed by the gateway.
    const rounds = Object.values(done).reduce((sum, count) => sum + count, 0)
    expect(failed.length, failed.join('\n')).toBeLessThanOrEqual(rounds / 20)
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
