import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { engineQueue } from '../../core/engine-queue.ts'
import type { Change, Hooks, Route } from '../../core/index.ts'

const route = (id: string, host = `${id}.example.org`) => ({ id, host }) as Route

/** An engine that takes a change when the test says so. `begun`: the changes that it was given, in order. */
const heldEngine = () => {
  const begun: string[] = []
  const held = new Map<string, PromiseWithResolvers<void>>()
  const nameOf = (change: Change) => ('put' in change ? `put ${change.put.id}` : `remove ${change.remove.id}`)
  const signals: AbortSignal[] = []
  const engine: Hooks['engine'] = {
    restore: () => undefined,
    apply(change, signal) {
      begun.push(nameOf(change))
      signals.push(signal)
      const taken = Promise.withResolvers<void>()
      held.set(nameOf(change), taken)
      return taken.promise
    },
    issues: () => false,
    install: () => Promise.withResolvers<void>().promise,
  }
  return { engine, begun, signals, take: (name: string) => held.get(name)?.resolve(), held }
}

test('a change that the engine does not take holds up no other workload, nor do certificates', async () => {
  const { engine, begun, take } = heldEngine()
  const queue = engineQueue(engine, () => [])
  void queue.install()
  void queue.apply({ remove: route('stuck') })
  const other = queue.apply({ put: route('other') })
  await turn()
  expect(begun).toEqual(['remove stuck', 'put other'])
  take('put other')
  await other
  const third = queue.apply({ put: route('third') })
  await turn()
  take('put third')
  await third
})

test('changes of one workload, and of one host, run one after another in order', async () => {
  const { engine, begun, take } = heldEngine()
  const queue = engineQueue(engine, () => [])
  const all = [
    queue.apply({ put: route('a') }),
    queue.apply({ remove: route('a') }),
    queue.apply({ put: route('b', 'a.example.org') }),
    queue.apply({ put: route('c') }),
  ]
  await turn()
  expect(begun).toEqual(['put a', 'put c'])
  take('put a')
  await all[0]
  await turn()
  expect(begun).toEqual(['put a', 'put c', 'remove a'])
  take('remove a')
  await all[1]
  await turn()
  expect(begun.at(-1)).toBe('put b')
  take('put b')
  take('put c')
  await Promise.all(all)
})

test('one that is refused is told so, and what waits for the same workload goes on', async () => {
  const { engine, held, begun } = heldEngine()
  const queue = engineQueue(engine, () => [])
  const first = queue.apply({ put: route('a') })
  const second = queue.apply({ put: route('a') })
  await turn()
  held.get('put a')?.reject(new Error('no such backend'))
  await expect(first).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: 'the engine did not take the change: no such backend',
  })
  await turn()
  expect(begun).toHaveLength(2)
  held.get('put a')?.resolve()
  await second
})

test('changes that come together share one deadline, later ones have their own', async () => {
  const { engine, signals } = heldEngine()
  const queue = engineQueue(engine, () => [])
  void queue.apply({ put: route('a') })
  void queue.apply({ put: route('b') })
  await turn()
  void queue.apply({ put: route('c') })
  expect(signals[0]).toBe(signals[1])
  expect(signals[2]).not.toBe(signals[0])
})

test('without an engine every change is refused', async () => {
  const queue = engineQueue(undefined, () => [])
  await expect(queue.apply({ put: route('a') })).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
})
