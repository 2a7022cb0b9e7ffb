import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AcmeOrder } from '../../../../core/index.ts'
import { budget } from '../../../../lib/acme/budget.ts'
import { rulesOf } from '../../../../plugins/service/acme/limits.ts'
import { again, orderQueue } from '../../../../plugins/service/acme/queue.ts'

const hour = 3_600_000
const directory = 'https://ca.example/dir'
const orderFor = (name: string, tenant: string): AcmeOrder => ({
  names: [name],
  tenant,
  challenge: 'http-01',
  present: () => undefined,
  cleanup: () => undefined,
})

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A queue whose orders cost what Let's Encrypt counts, and end at once. */
const issuing = () => {
  const used = budget()
  const done: { name: string; tenant: string; at: number }[] = []
  const rules = (order: AcmeOrder) => rulesOf(directory, order, true)
  const queue = orderQueue<string>({
    parallel: 10,
    room: (order, now) => used.room(rules(order).shared, now),
    run: async (order) => {
      const now = Date.now()
      if (used.room(rules(order).shared, now) > now) return again
      used.take(rules(order).shared, now)
      done.push({ name: order.names[0] ?? '', tenant: order.tenant, at: now })
      return 'made'
    },
    changed: () => undefined,
  })
  return { queue, done, used, rules }
}
const signal = new AbortController().signal

test('a thousand orders take no more than 300 in any 3 hours, and all are done in time', async () => {
  const { queue, done } = issuing()
  const all = Array.from({ length: 1_000 }, (_, n) => queue.add(orderFor(`d${n}.example`, `tenant ${n % 50}`), signal))
  await vi.advanceTimersByTimeAsync(10 * hour)
  await Promise.all(all)
  expect(done).toHaveLength(1_000)
  for (const { at } of done)
    expect(done.filter((other) => other.at > at - 3 * hour && other.at <= at).length).toBeLessThanOrEqual(300)
})

test('fault 26: a tenant with 500 names keeps nobody waiting', async () => {
  const { queue, done } = issuing()
  const flood = Array.from({ length: 500 }, (_, n) => queue.add(orderFor(`flood${n}.example`, 'flood'), signal))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(done.filter(({ tenant }) => tenant === 'flood')).toHaveLength(150)
  const others = Array.from({ length: 20 }, (_, n) => queue.add(orderFor(`other${n}.example`, `other ${n}`), signal))
  await vi.advanceTimersByTimeAsync(1_000)
  await Promise.all(others)
  await vi.advanceTimersByTimeAsync(10 * hour)
  await Promise.all(flood)
})

test('an order that is no longer wanted leaves the queue', async () => {
  const { queue } = issuing()
  const flood = Array.from({ length: 151 }, (_, n) => queue.add(orderFor(`d${n}.example`, 'one'), signal))
  await vi.advanceTimersByTimeAsync(1_000)
  const stop = new AbortController()
  const last = queue.add(orderFor('last.example', 'one'), stop.signal)
  expect(queue.waiting).toBe(2)
  stop.abort(new Error('not wanted'))
  await expect(last).rejects.toThrow('not wanted')
  expect(queue.waiting).toBe(1)
  await vi.advanceTimersByTimeAsync(4 * hour)
  await Promise.all(flood)
})

test('limits are counted by the registered domain, and renewals are free of them', () => {
  const { rules } = issuing()
  expect(rules(orderFor('a.b.example.co.uk', 't')).own[0]?.key).toContain('example.co.uk')
  expect(rules(orderFor('a.b.example.co.uk', 't')).own[0]?.key).not.toContain('b.example')
  const replaces = { id: '', resolver: '', names: [], chain: '', key: '', notBefore: new Date(), notAfter: new Date() }
  expect(rules({ ...orderFor('a.example', 't'), replaces })).toMatchObject({ shared: [], own: [] })
})
