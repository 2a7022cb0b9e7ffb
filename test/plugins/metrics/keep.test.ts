import { expect, it } from 'vitest'
import type { Route, WorkloadId } from '../../../core/index.ts'
import type { Counts } from '../../../plugins/metrics/traffic/count.ts'
import { keeping } from '../../../plugins/metrics/traffic/keep.ts'
import { route } from '../../kit/store/samples.ts'
import { counterEngine, id, processes } from './machine.ts'

const day = 86_400_000

const setUp = async () => {
  const served = new Map<WorkloadId, Route>()
  const clock = { now: Date.UTC(2026, 0, 1) }
  const engine = counterEngine()
  const gateways = await processes(engine)
  const routes = {
    size: 0,
    get: (one: WorkloadId) => served.get(one),
    byHost: () => undefined,
    count: () => 0,
    list: () => [],
    all: () => [],
  }
  const start = async () => {
    const gateway = await gateways.start()
    return { ...gateway, kept: keeping(gateway.counts, routes, 30 * day, () => clock.now) }
  }
  return { served, clock, start }
}
const counted = async (counts: Counts, ids: readonly WorkloadId[]) => {
  for (const each of ids) counts.see(each, 'epoch', { request: 1, response: 1 })
  await counts.commit()
}

it('lets go of a deleted workload after its days, also over a restart, and not of one that came back', async () => {
  const { served, clock, start } = await setUp()
  const first = await start()
  await counted(first.counts, [id(1), id(2), id(3)])
  first.kept.gone(id(1))
  first.kept.gone(id(2))
  clock.now += 10 * day
  served.set(id(2), route('1-2-w'))
  first.kept.back(id(2))
  first.kept.gone(id(3))
  expect(first.kept.over()).toEqual([])
  await first.counts.commit()

  const second = await start()
  clock.now += 10 * day
  expect(second.kept.over()).toEqual([])
  clock.now += 10 * day + 1
  const over = second.kept.over()
  expect(over).toEqual([id(1)])
  await second.counts.forget(over)
  clock.now += 10 * day
  expect(second.kept.over()).toEqual([id(3)])
})

it('finds workloads that went while no gateway ran', async () => {
  const { clock, start } = await setUp()
  const first = await start()
  await counted(first.counts, [id(1)])
  const second = await start()
  clock.now += day
  expect(second.kept.over()).toEqual([])
  clock.now += 30 * day
  expect(second.kept.over()).toEqual([id(1)])
})

it('keeps the sums of ten thousand deleted workloads and lets the oldest go first', async () => {
  const { start } = await setUp()
  const { counts, kept } = await start()
  const ids = Array.from({ length: 10_002 }, (_, n) => id(n))
  await counted(counts, ids)
  for (const each of ids) kept.gone(each)
  expect(kept.over()).toEqual([id(0), id(1)])
})
