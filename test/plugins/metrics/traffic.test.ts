import { expect, it, onTestFinished } from 'vitest'
import type { Plugin, Write } from '../../../core/index.ts'
import { traffic } from '../../../plugins/metrics/traffic/index.ts'
import { level } from '../../../plugins/store/level/index.ts'
import { memory } from '../../../plugins/store/memory/index.ts'
import { anyHost, anyTls, basics, remove, set, start } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'
import { bytes, countingEngine } from './engine.ts'

const metrics = { do: 'metrics' } as const
const running = async (...args: Parameters<typeof start>) => {
  const gateway = await start(...args)
  onTestFinished(gateway.close)
  return gateway
}
const report = async (gateway: Awaited<ReturnType<typeof start>>) => Object.fromEntries(await gateway.dispatch(metrics))

it('reports what the engine counted up to the question, without a wait for the interval', async () => {
  const engine = countingEngine()
  const gateway = await running(basics(engine.plugin, traffic({ interval: 3_600 })))
  expect(await report(gateway)).toEqual({})
  engine.carry('a', 5)
  engine.carry('b', 7)
  expect(await report(gateway)).toEqual({ a: bytes(5), b: bytes(7) })
  engine.carry('a', 1)
  expect(await report(gateway)).toEqual({ a: bytes(6), b: bytes(7) })
})

it('counts on over restarts of the engine and of the gateway', async () => {
  const root = tempRoot()
  onTestFinished(root.remove)
  const engine = countingEngine()
  const list = () => [level(), anyHost(), anyTls(), engine.plugin, traffic({ interval: 3_600 })]
  const first = await start(list(), { root: root.path })
  engine.carry('a', 5)
  expect(await report(first)).toEqual({ a: bytes(5) })
  engine.restart()
  engine.carry('a', 5)
  await first.close()

  engine.carry('a', 1) // the same engine, which outlived the gateway
  const second = await start(list(), { root: root.path })
  expect(await report(second)).toEqual({ a: bytes(11) })
  await second.close()

  engine.restart()
  engine.carry('a', 100)
  const third = await running(list(), { root: root.path })
  expect(await report(third)).toEqual({ a: bytes(111) })
})

it('counts on where a deleted workload is set again, and reports the deleted one meanwhile', async () => {
  const engine = countingEngine()
  const gateway = await running(basics(engine.plugin, traffic()))
  await gateway.dispatch(set('a', 'a.example'))
  engine.carry('a', 5)
  await gateway.dispatch(remove('a'))
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  await gateway.dispatch(set('a', 'a.example'))
  engine.carry('a', 2)
  expect(await report(gateway)).toEqual({ a: bytes(7) })
})

it('answers what it knows while the engine cannot be read, says so, and catches up', async () => {
  const engine = countingEngine()
  const gateway = await running(basics(engine.plugin, traffic({ interval: 0.05 })))
  engine.carry('a', 5)
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  engine.fail(() => Promise.reject(new Error('socket closed')))
  engine.carry('a', 5)
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  const state = () => gateway.status().plugins.find(({ name }) => name === 'metrics/traffic')
  await expect.poll(state).toMatchObject({ state: 'degraded', reason: expect.stringContaining('socket closed') })
  engine.fail(undefined)
  expect(await report(gateway)).toEqual({ a: bytes(10) })
  await expect.poll(state).toMatchObject({ state: 'ok' })
})

it('gives an engine that never answers up, and answers what it knows', async () => {
  const engine = countingEngine()
  const gateway = await running(basics(engine.plugin, traffic({ interval: 3_600 })))
  engine.carry('a', 5)
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  engine.fail(() => new Promise(() => undefined))
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  engine.fail(undefined)
})

it('is empty without an engine, and with one that does not count', async () => {
  const gateway = await running([memory(), anyHost(), anyTls(), traffic()])
  expect(await report(gateway)).toEqual({})
})

it('writes what changed, and nothing while nothing changes', async () => {
  const commits: (readonly Write[])[] = []
  const engine = countingEngine()
  const gateway = await running([watched(commits), anyHost(), anyTls(), engine.plugin, traffic({ interval: 0.05 })])
  const sums = () =>
    commits.flatMap((writes) => writes.flatMap((write) => ('ledger' in write ? [Object.fromEntries(write.ledger)] : [])))
  engine.carry('a', 1)
  engine.carry('b', 1)
  await expect.poll(sums).toEqual([{ a: bytes(1), b: bytes(1) }])
  engine.carry('b', 1)
  await expect.poll(sums).toEqual([{ a: bytes(1), b: bytes(1) }, { b: bytes(2) }])
  for (let n = 0; n < 5; n++) await report(gateway)
  expect(sums()).toHaveLength(2)
})
const watched = (commits: (readonly Write[])[]): Plugin => {
  const plugin: Plugin<'store'> = memory()
  return {
    ...plugin,
    setup: async (given) => {
      const store = await plugin.setup(given)
      return {
        load: store.load,
        commit: (writes) => {
          commits.push(writes)
          return store.commit(writes)
        },
      }
    },
  }
}

it('writes the sums again that the store refused, when it takes them', async () => {
  let full = false
  const plugin: Plugin<'store'> = memory()
  const store: Plugin = {
    ...plugin,
    setup: async (given) => {
      const inner = await plugin.setup(given)
      return {
        load: inner.load,
        commit: async (writes) => {
          if (full) throw new Error('no space left')
          await inner.commit(writes)
        },
      }
    },
  }
  const engine = countingEngine()
  const gateway = await running([store, anyHost(), anyTls(), engine.plugin, traffic({ interval: 0.05 })])
  const state = () => gateway.status().plugins.find(({ name }) => name === 'metrics/traffic')
  full = true
  engine.carry('a', 5)
  await expect.poll(state).toMatchObject({ state: 'degraded', reason: expect.stringContaining('no space left') })
  expect(await report(gateway)).toEqual({ a: bytes(5) })
  full = false
  await expect.poll(state).toMatchObject({ state: 'ok' })
  engine.carry('a', 5)
  expect(await report(gateway)).toEqual({ a: bytes(10) })
})

it('counts every byte once where a reload changes its options beside a running engine', async () => {
  const engine = countingEngine()
  const store = memory()
  const parts = [store, anyHost(), anyTls(), engine.plugin]
  const gateway = await running([...parts, traffic({ interval: 0.05 })], {
    source: async () => ({ plugins: [...parts, traffic({ interval: 0.06 })] }),
  })
  for (let n = 0; n < 5; n++) {
    engine.carry('a', 10)
    const reloading = gateway.reload()
    engine.carry('a', 10)
    await reloading
    engine.carry('a', 10)
    expect(await report(gateway)).toEqual({ a: bytes(30 * (n + 1)) })
  }
})

it('forgets a deleted workload after its days, so that it counts from zero again', async () => {
  const engine = countingEngine()
  const gateway = await running(basics(engine.plugin, traffic({ interval: 0.05, keep: 0 })))
  await gateway.dispatch(set('a', 'a.example'))
  await gateway.dispatch(set('b', 'b.example'))
  engine.carry('a', 5)
  engine.carry('b', 6)
  await report(gateway)
  await gateway.dispatch(remove('a'))
  await expect.poll(() => report(gateway)).toEqual({ b: bytes(6) })
  await gateway.dispatch(set('a', 'a.example'))
  engine.carry('a', 1)
  expect(await report(gateway)).toEqual({ a: bytes(1), b: bytes(6) })
})

it('refuses options that make no sense where they stand', () => {
  const refused = expect.objectContaining({ code: 'CONFIG_INVALID' })
  expect(() => traffic({ interval: 0 })).toThrow(refused)
  expect(() => traffic({ interval: Number.NaN })).toThrow(refused)
  expect(() => traffic({ keep: -1 })).toThrow(refused)
})
