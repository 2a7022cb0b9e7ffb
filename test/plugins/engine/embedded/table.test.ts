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
const flow: Flow = { cut: () => undefined, pending: () => 0, tick: () => undefined }
const figures = ({ bytes }: { readonly bytes: ReadonlyMap<string, Bytes> }) =>
  Object.fromEntries([...bytes].map(([id, { request }]) => [id, request]))

test('a reading since another has what may have changed, awake or asleep by now, and nothing else', () => {
  const all = table()
  for (const id of ['1-1-a', '1-1-b', '1-1-c']) all.put(route(id))
  const [a, b, c] = [wake(all, '1-1-a'), wake(all, '1-1-b'), wake(all, '1-1-c')]
  for (const { meter } of [a, b, c]) meter.request += 1
  all.sleep(a)
  const first = all.read()
  expect(figures(first)).toEqual({ '1-1-a': 1, '1-1-b': 1, '1-1-c': 1 })
  b.meter.request += 1
  all.sleep(b)
  c.meter.request += 2
  c.used = performance.now()
  const second = all.read(first.mark)
  expect(figures(second)).toEqual({ '1-1-b': 2, '1-1-c': 3 })
  c.used -= 1
  expect(figures(all.read(second.mark))).toEqual({})
  all.sleep(c)
  const third = all.read(second.mark)
  expect(figures(third)).toEqual({ '1-1-c': 3 })
  expect(figures(all.read(third.mark))).toEqual({})
  expect(figures(all.read(first.mark))).toEqual({ '1-1-b': 2, '1-1-c': 3 })
  expect(figures(all.read())).toEqual({ '1-1-a': 1, '1-1-b': 2, '1-1-c': 3 })
})

test('a reading has what old connections counted of a workload that was set again', () => {
  const all = table()
  all.put(route('1-1-a'))
  const old = wake(all, '1-1-a')
  old.open.add(flow)
  all.remove(route('1-1-a'))
  all.put(route('1-1-a'))
  const { mark } = all.read()
  old.meter.request += 5
  all.ended(old, flow)
  expect(figures(all.read(mark))).toEqual({ '1-1-a': 5 })
})

test('a reading since one too long ago has everything', () => {
  const all = table()
  all.put(route('1-1-a'))
  all.put(route('1-1-b'))
  all.sleep(wake(all, '1-1-b'))
  const { mark } = all.read()
  wake(all, '1-1-b').meter.request += 7
  for (let n = 0; n < 30_000; n++) {
    all.sleep(wake(all, '1-1-b'))
    all.sleep(wake(all, '1-1-a'))
    if (n === 0) all.read()
  }
  expect(figures(all.read(mark))).toEqual({ '1-1-a': 0, '1-1-b': 7 })
})
