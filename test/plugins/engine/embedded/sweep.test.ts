import { afterEach, expect, test } from 'vitest'
import { Backends } from '../../../../plugins/engine/embedded/backends.ts'
import { sweepTable } from '../../../../plugins/engine/embedded/sweep.ts'
import { type Flow, Table } from '../../../../plugins/engine/embedded/table.ts'
import { route } from '../../../kit/store/samples.ts'
import { backendAt, dialled, keeping, listening } from './dialled.ts'

const dialling = keeping(1_000)
let server: Awaited<ReturnType<typeof listening>>['server'] | undefined
afterEach(() => server?.close())

test('idle connections go when their time is over, and no others', async () => {
  const listener = await listening()
  server = listener.server
  const backend = backendAt(listener.port, dialling)
  const wires = await Promise.all(Array.from({ length: 300 }, () => dialled(backend)))
  const table = new Table({ emit: () => undefined, drain: 10_000, makeBackends: () => new Backends([]) })
  for (const wire of wires) backend.release(wire)
  await sweepTable(table, dialling)
  expect(wires.filter(({ socket }) => socket.destroyed)).toEqual([])
  for (const wire of wires.slice(0, 299)) wire.idleSince -= dialling.idleTime + 1
  await sweepTable(table, dialling)
  expect(wires.filter(({ socket }) => !socket.destroyed)).toEqual([wires[299]])
  expect(backend.take(true)).toBe(wires[299])
  expect(backend.take(true)).toBe(undefined)
  wires[299]?.drop()
})

test('what is open is looked after each time, and who rested for a minute falls asleep', async () => {
  const table = new Table({ emit: () => undefined, drain: 10_000, makeBackends: () => new Backends([]) })
  const awake = ['1-1-a', '1-1-b', '1-1-c'].map((id) => {
    table.put(route(id))
    const entry = table.byHost(route(id).host)
    if (!entry) throw new Error(`${id} is not served`)
    return table.wake(entry)
  })
  const [a, b, c] = awake
  if (!a || !b || !c) throw new Error('they do not wake')
  let ticks = 0
  const open: Flow = { cut: () => undefined, pending: () => 0, tick: () => ticks++ }
  table.began(c, open)
  a.used -= 61_000
  c.used -= 61_000
  await sweepTable(table, dialling)
  expect([[...table.awake()], ticks]).toEqual([[c, b], 1])
  table.ended(c, open)
  await sweepTable(table, dialling)
  expect([[...table.awake()], ticks]).toEqual([[b, c], 1])
})
