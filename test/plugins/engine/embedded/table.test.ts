import { expect, test } from 'vitest'
import type { Bytes } from '../../../../core/index.ts'
import { Backends } from '../../../../plugins/engine/embedded/backends.ts'
import { type Awake, type Flow, Table } from '../../../../plugins/engine/embedded/table.ts'
import { route } from '../../../kit/store/samples.ts'

const table = () => new Table({ emit: () => undefined, drain: 10_000, makeBackends: () => new Backends([]) })
const wake = (of: Table, id: string): Awake => {
  const entry = of.byHost(route(id).host)
  if (!entry) throw new Error(`${id} is not served`)
  return of.wake(entry)
}
const flow = (pending = 0): Flow => ({ cut: () => undefined, pending: () => pending, tick: () => undefined })
/** Something that runs, counts, and ends. */
const serve = (of: Table, awake: Awake, bytes: number): void => {
  const one = flow()
  of.began(awake, one)
  awake.meter.request += bytes
  of.ended(awake, one)
}
const figures = ({ bytes }: { readonly bytes: ReadonlyMap<string, Bytes> }) =>
  Object.fromEntries([...bytes].map(([id, { request }]) => [id, request]))

test('a reading since another has what may have changed, awake or asleep by now, and nothing else', () => {
  const all = table()
  for (const id of ['1-1-a', '1-1-b', '1-1-c']) {
    all.put(route(id))
    serve(all, wake(all, id), 1)
  }
  const first = all.read()
  expect(figures(first)).toEqual({ '1-1-a': 1, '1-1-b': 1, '1-1-c': 1 })
  const [b, c] = [wake(all, '1-1-b'), wake(all, '1-1-c')]
  serve(all, b, 1)
  serve(all, c, 2)
  while (all.sleepOne(performance.now()));
  expect([...all.awake()]).toEqual([])
  const second = all.read(first.mark)
  expect(figures(second)).toEqual({ '1-1-b': 2, '1-1-c': 3 })
  expect(figures(all.read(second.mark))).toEqual({})
  const open = flow()
  const again = wake(all, '1-1-c')
  all.began(again, open)
  again.meter.request += 1
  const third = all.read(second.mark)
  expect(figures(third)).toEqual({ '1-1-c': 4 })
  again.meter.request += 1
  all.ended(again, open)
  const fourth = all.read(third.mark)
  expect(figures(fourth)).toEqual({ '1-1-c': 5 })
  expect(figures(all.read(fourth.mark))).toEqual({})
  expect(figures(all.read(first.mark))).toEqual({ '1-1-b': 2, '1-1-c': 5 })
  expect(figures(all.read())).toEqual({ '1-1-a': 1, '1-1-b': 2, '1-1-c': 5 })
})

test('a reading has what old connections counted of a workload that was set again, and not what both have still to send', () => {
  const all = table()
  all.put(route('1-1-a'))
  const old = wake(all, '1-1-a')
  const [before, after] = [flow(10), flow(20)]
  all.began(old, before)
  all.remove(route('1-1-a'))
  all.put(route('1-1-a'))
  const renewed = wake(all, '1-1-a')
  expect(renewed).not.toBe(old)
  all.began(renewed, after)
  old.meter.response += 100
  expect(all.read().bytes.get(old.id)).toEqual({ request: 0, response: 70 })
  const { mark } = all.read()
  old.meter.request += 5
  all.ended(old, before)
  expect(figures(all.read(mark))).toEqual({ '1-1-a': 5 })
  all.ended(renewed, after)
})

test('a reading since one too long ago has everything', () => {
  const all = table()
  all.put(route('1-1-a'))
  all.put(route('1-1-b'))
  serve(all, wake(all, '1-1-b'), 7)
  const { mark } = all.read()
  const a = wake(all, '1-1-a')
  for (let n = 0; n < 100_002; n++) {
    serve(all, a, 1)
    all.read(n)
  }
  expect(figures(all.read(mark))).toEqual({ '1-1-a': 100_002, '1-1-b': 7 })
})

test('who rests longest falls asleep first, and nobody of whom something is open', () => {
  const all = table()
  for (const id of ['1-1-a', '1-1-b', '1-1-c']) all.put(route(id))
  const [a, b, c] = [wake(all, '1-1-a'), wake(all, '1-1-b'), wake(all, '1-1-c')]
  const open = flow()
  all.began(b, open)
  serve(all, a, 1)
  expect([...all.busy()]).toEqual([b])
  expect([...all.awake()]).toEqual([b, c, a])
  expect(all.sleepOne(c.used - 1)).toBe(false)
  expect(all.sleepOne(performance.now())).toBe(true)
  expect([...all.awake()]).toEqual([b, a])
  expect(wake(all, '1-1-c')).not.toBe(c)
  while (all.sleepOne(performance.now()));
  expect([...all.awake()]).toEqual([b])
  all.ended(b, open)
  expect([[...all.busy()], [...all.awake()]]).toEqual([[], [b]])
})

test('a removed workload rests no more, and stays busy until its last connection has ended', () => {
  const all = table()
  all.put(route('1-1-a'))
  all.put(route('1-1-b'))
  const [a] = [wake(all, '1-1-a'), wake(all, '1-1-b')]
  const open = flow()
  all.began(a, open)
  all.remove(route('1-1-a'))
  all.remove(route('1-1-b'))
  expect([...all.awake()]).toEqual([a])
  all.ended(a, open)
  expect([...all.awake()]).toEqual([])
})
