import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pendingOrders } from '../../../../plugins/service/acme/pending-orders.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const open = () => {
  const kept = new Map<string, Uint8Array>()
  const set = async (key: string, value: Uint8Array | null) => void (value ? kept.set(key, value) : kept.delete(key))
  const state = { get: (key: string) => kept.get(key), set }
  return () => pendingOrders({ state }).of('https://ca.example/dir', ['a.example'])
}
const order = { url: 'https://ca.example/o/1', finalize: 'https://ca.example/f/1', key: 'key', csr: 'csr' }

test('an order that tells nothing is given up at the tenth try, over restarts too', async () => {
  const reopen = open()
  await reopen().save(order)
  for (let tries = 1; tries < 10; tries++) expect(await reopen().failed()).toBe(false)
  expect(reopen().saved).toMatchObject(order)
  expect(await reopen().failed()).toBe(true)
  expect(reopen().saved).toBeUndefined()
})

test('an order that tells nothing for an hour is given up, and one that is processed is not', async () => {
  const reopen = open()
  await reopen().save(order)
  expect(await reopen().failed()).toBe(false)
  vi.setSystemTime(Date.now() + 3_500_000)
  expect(await reopen().failed()).toBe(false)
  await reopen().processing()
  vi.setSystemTime(Date.now() + 3_500_000)
  expect(await reopen().failed()).toBe(false)
  vi.setSystemTime(Date.now() + 3_600_000)
  expect(await reopen().failed()).toBe(true)
})

test('an order is kept for a day', async () => {
  const reopen = open()
  await reopen().save(order)
  vi.setSystemTime(Date.now() + 86_300_000)
  expect(reopen().saved).toMatchObject(order)
  vi.setSystemTime(Date.now() + 200_000)
  expect(reopen().saved).toBeUndefined()
})
