import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Event, Route, WorkloadId } from '../../../../core/index.ts'
import { Liveness } from '../../../../plugins/engine/traefik/liveness.ts'

const route = (id: string): Route => ({
  id: id as WorkloadId,
  host: `${id}.example.org`,
  backends: ['http://192.0.2.1:1'],
  passthrough: false,
  tenant: id,
  tls: { mode: 'terminate', resolver: 'resolver', names: [`${id}.example.org`] },
})
const [one, two] = [route('1-1-one'), route('1-1-two')]
/** Liveness with what it said, and of whom it wanted to know whether there is a certificate. */
const stand = (hasCertificate: (route: Route) => boolean | Promise<boolean>) => {
  const [events, asked]: [Event[], string[]] = [[], []]
  const liveness = new Liveness(
    (event) => events.push(event),
    (of) => {
      asked.push(of.id)
      return hasCertificate(of)
    },
  )
  return { liveness, events, asked }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('a certificate that does not come is looked for ever more seldom, and told of within a minute once it is there', async () => {
  let there = false
  const { liveness, events, asked } = stand(() => there)
  liveness.put(one, 1)
  liveness.served(1, [])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked.length).toBeGreaterThan(5)
  await vi.advanceTimersByTimeAsync(86_400_000)
  expect(asked.length).toBeLessThan(1_600)
  there = true
  await vi.advanceTimersByTimeAsync(61_000)
  expect(events).toEqual([{ type: 'live', id: one.id }])
  const last = asked.length
  await vi.advanceTimersByTimeAsync(600_000)
  expect(asked.length).toBe(last)
})

test('who waits since long is not asked after again for the sake of who comes, but at once where certificates changed', async () => {
  let there = false
  const { liveness, events, asked } = stand(({ id }) => there || id === two.id)
  liveness.put(one, 1)
  liveness.served(1, [])
  await vi.advanceTimersByTimeAsync(3_600_000)
  const before = asked.filter((id) => id === one.id).length
  liveness.put(two, 2)
  liveness.served(2, [])
  await vi.advanceTimersByTimeAsync(1)
  expect(events).toEqual([{ type: 'live', id: two.id }])
  expect(asked.filter((id) => id === one.id).length).toBeLessThanOrEqual(before + 1)
  there = true
  liveness.check()
  await vi.advanceTimersByTimeAsync(1)
  expect(events).toContainEqual({ type: 'live', id: one.id })
})

test('a generation is told of while a look for certificates takes its time', async () => {
  const { liveness, events } = stand(() => new Promise(() => undefined))
  liveness.put(one, 1)
  liveness.served(1, [])
  liveness.put(two, 2)
  liveness.served(2, [{ name: `${two.id}-route@file`, status: 'disabled', reasons: ['no'] }])
  expect(events).toEqual([
    { type: 'live', id: two.id, error: expect.objectContaining({ message: 'Traefik refuses the route: no' }) },
  ])
  liveness.close()
})
