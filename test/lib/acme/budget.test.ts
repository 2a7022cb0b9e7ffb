import { describe, expect, test } from 'vitest'
import { budget, type Rule } from '../../../lib/acme/budget.ts'
import { fairQueue } from '../../../lib/fair-queue.ts'

const hour = 3_600_000
const orders: Rule = { key: 'orders', most: 300, window: 3 * hour }

describe('a budget', () => {
  test('has room for so many within any window, and says when for the next', () => {
    const used = budget()
    for (let n = 0; n < 300; n++) used.take([orders], 1_000 + n)
    expect(used.left(orders, 2_000)).toBe(0)
    expect(used.room([orders], 2_000)).toBe(1_000 + 3 * hour)
    expect(used.room([orders], 1_000 + 3 * hour)).toBe(1_000 + 3 * hour)
    expect(used.left(orders, 1_010 + 3 * hour)).toBe(11)
  })

  test('has room when every rule has', () => {
    const used = budget()
    const [one, two] = [
      { key: 'a', most: 1, window: hour },
      { key: 'b', most: 1, window: 2 * hour },
    ] as const
    used.take([one, two], 0)
    expect(used.room([one], 1)).toBe(hour)
    expect(used.room([one, two], 1)).toBe(2 * hour)
  })

  test('is the same after it was kept', () => {
    const used = budget()
    used.take([orders], 5)
    const again = budget(JSON.parse(JSON.stringify(used.used(10))))
    expect(again.left(orders, 10)).toBe(299)
  })

  test('waits no longer than its window where the clock was set back', () => {
    const used = budget()
    const rule = { key: 'a', most: 1, window: hour }
    used.take([rule], 1_000 * hour)
    expect(used.room([rule], 10 * hour)).toBe(11 * hour)
  })

  test('forgets what no window holds any more', () => {
    const used = budget()
    used.take([orders], 0)
    expect(used.used(40 * 24 * hour)).toEqual({})
  })
})

describe('a fair queue', () => {
  test('takes tenants in turn, and each one’s in order', () => {
    const queue = fairQueue<string>()
    for (let n = 0; n < 500; n++) queue.push('a', `a${n}`)
    for (const name of ['b', 'c']) queue.push(name, `${name}0`)
    const taken = Array.from({ length: 6 }, () => queue.next(() => true))
    expect(taken).toEqual(['a0', 'b0', 'c0', 'a1', 'a2', 'a3'])
    expect(queue.size).toBe(496)
  })

  test('lets pass who is ready, before who is not', () => {
    const queue = fairQueue<string>()
    for (const name of ['a', 'b']) queue.push(name, name)
    expect(queue.next((item) => item !== 'a')).toBe('b')
    expect(queue.next((item) => item !== 'a')).toBeUndefined()
    queue.remove('a', 'a')
    expect(queue.size).toBe(0)
  })
})
