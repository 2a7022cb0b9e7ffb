import { describe, expect, test } from 'vitest'
import { overdue, type Stage } from '../../../../plugins/engine/embedded/progress.ts'

describe('a request', () => {
  const limits = { bodyBytes: 0, bodyTime: 100, responseTime: 10, stallTime: 20, tunnelTime: 50, halfClosedTime: 30 }
  const at: Stage = { answer: 'none', tunnel: false, halfClosed: false, bodyLeft: false, began: 0, moved: 0 }
  test.each<[string, Partial<Stage>, number, string | undefined]>([
    ['waits for its backend', {}, 10, undefined],
    ['waits for its backend too long', {}, 11, 'backend'],
    ['waits for its body', { bodyLeft: true }, 19, undefined],
    ['waits for more of its body too long', { bodyLeft: true }, 21, 'idle'],
    ['has a body that never ends', { bodyLeft: true, moved: 100 }, 101, 'client'],
    ['has an answer that goes on', { answer: 'begun', moved: 1_000 }, 1_020, undefined],
    ['has an answer that stalls', { answer: 'begun' }, 21, 'idle'],
    ['is a tunnel', { answer: 'done', tunnel: true }, 50, undefined],
    ['is a tunnel of which one side has ended', { answer: 'done', tunnel: true, halfClosed: true }, 30, undefined],
    ['is an idle tunnel of which one side has ended', { answer: 'done', tunnel: true, halfClosed: true }, 31, 'idle'],
    ['is an idle tunnel', { answer: 'done', tunnel: true }, 51, 'idle'],
  ])('that %s is told apart', (_what, change, now, verdict) => {
    expect(overdue(limits, { ...at, ...change }, now)).toBe(verdict)
  })

  test('may take for ever where there is no limit', () => {
    const none = { bodyBytes: 0, bodyTime: 0, responseTime: 0, stallTime: 0, tunnelTime: 0, halfClosedTime: 1_000 }
    for (const change of [{}, { bodyLeft: true }, { tunnel: true }, { answer: 'begun' as const }])
      expect(overdue(none, { ...at, ...change }, 1e9)).toBe(undefined)
  })
})
