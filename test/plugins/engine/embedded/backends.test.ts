import { once } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Backend, Backends, Unreachable } from '../../../../plugins/engine/embedded/backends.ts'
import { backendAt, dialled, keeping, listening } from './dialled.ts'

const dialling = keeping(2)
const made = (port: number) => backendAt(port, dialling)
const several = (count: number) => {
  const all = Array.from({ length: count }, (_, i) => made(9_000 + i))
  return { all, backends: new Backends(all) }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('the backends of a route', () => {
  test('are taken in turn', () => {
    const { all, backends } = several(3)
    expect(Array.from({ length: 7 }, () => backends.pick(undefined))).toEqual([0, 1, 2, 0, 1, 2, 0].map((i) => all[i]))
  })

  test('leave out one that failed, and give it one request after a while, which decides', () => {
    vi.useFakeTimers()
    const { all, backends } = several(2)
    const picks = () => Array.from({ length: 4 }, () => all.indexOf(backends.pick(undefined)!)).sort()
    all[0]!.failed()
    expect(picks()).toEqual([1, 1, 1, 1])
    vi.advanceTimersByTime(1_001)
    expect(picks()).toEqual([0, 1, 1, 1])
    all[0]!.answered()
    expect(picks()).toEqual([0, 0, 1, 1])
  })

  test('are left out for longer each time, up to a bound, and once for the same trouble', () => {
    vi.useFakeTimers()
    const { all } = several(1)
    const [backend] = all
    for (const wait of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      for (let many = 0; many < 50; many++) backend!.failed()
      vi.advanceTimersByTime(wait - 1)
      expect(backend!.admits()).toBe(false)
      vi.advanceTimersByTime(2)
      expect(backend!.admits()).toBe(true)
    }
  })

  test('leave out one that breaks requests off in a row, and not one that does it now and then', () => {
    const { all } = several(1)
    const [backend] = all
    for (let count = 0; count < 10; count++) {
      backend!.broke()
      backend!.broke()
      backend!.answered()
    }
    expect(backend!.admits()).toBe(true)
    for (let count = 0; count < 3; count++) backend!.broke()
    expect(backend!.admits()).toBe(false)
  })

  test('are all tried where all are dead, each once', () => {
    const { all, backends } = several(3)
    for (const backend of all) backend.failed()
    const tried = new Set<Backend>()
    for (let picked = backends.pick(tried); picked; picked = backends.pick(tried)) tried.add(picked)
    expect([...tried].sort()).toEqual([...all].sort())
  })

  test('leave out what the active check finds sick', () => {
    const { all, backends } = several(2)
    all[1]!.checked = false
    expect([backends.pick(undefined), backends.pick(undefined)]).toEqual([all[0], all[0]])
    all[1]!.checked = true
    expect(new Set([backends.pick(undefined), backends.pick(undefined)])).toEqual(new Set(all))
  })
})

describe('the connections to a backend', () => {
  test('are kept up to a number, the last used first, and go when they close', async () => {
    const { server, port } = await listening()
    const backend = made(port)
    const wires = [await dialled(backend), await dialled(backend), await dialled(backend)]
    for (const wire of wires) backend.release(wire)
    expect(wires[2]!.socket.destroyed).toBe(true)
    expect(backend.take(true)).toBe(wires[1])
    wires[0]!.socket.destroy()
    await once(wires[0]!.socket, 'close')
    expect(backend.take(true)).toBe(undefined)
    backend.close()
    backend.release(wires[1]!)
    expect(wires[1]!.socket.destroyed).toBe(true)
    server.close()
  })

  test('stand among the idle ones of all backends, the longest idle first, until they are taken, dropped or closed', async () => {
    const { server, port } = await listening()
    const [one, other] = [made(port), made(port)]
    const [first, second, third] = [await dialled(one), await dialled(other), await dialled(one)]
    one.release(first)
    other.release(second)
    one.release(third)
    expect([...dialling.idleWires]).toEqual([first, second, third])
    expect(one.take(true)).toBe(third)
    first.drop()
    expect([first.socket.destroyed, one.take(true)]).toEqual([true, undefined])
    expect([...dialling.idleWires]).toEqual([second])
    other.close()
    expect([second.socket.destroyed, [...dialling.idleWires]]).toEqual([true, []])
    third.drop()
    server.close()
  })

  test('cannot be had where nobody listens', async () => {
    const { server, port } = await listening()
    server.close()
    await once(server, 'close')
    await expect(dialled(made(port))).rejects.toBeInstanceOf(Unreachable)
  })
})
