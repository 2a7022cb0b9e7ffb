import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Route, WorkloadId } from '../../core/index.ts'
import { table } from '../../core/table.ts'
import { turns } from '../../core/turns.ts'

const route = (id: string, host: string): Route =>
  ({ id, host, tenant: id[0], backends: [], passthrough: true, tls: { mode: 'passthrough' } }) as unknown as Route

describe('the table', () => {
  test('agrees with a plain map after any sequence of changes, and lists in order by pages', () => {
    const change = fc.record({
      id: fc.stringMatching(/^[ab][0-9]$/),
      host: fc.constantFrom('x', 'y', 'z'),
      put: fc.boolean(),
      list: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const [routes, model] = [table(), new Map<string, Route>()]
        for (const { id, host, put, list } of changes) {
          const owner = [...model.values()].find((one) => one.host === host)
          if (put && (!owner || owner.id === id)) {
            routes.put(route(id, host))
            model.set(id, route(id, host))
          } else if (!put) {
            routes.remove(id as WorkloadId)
            model.delete(id)
          }
          if (list) expect(pages(routes)).toEqual([...model.keys()].sort())
        }
        expect(routes.size).toBe(model.size)
        expect(pages(routes)).toEqual([...model.keys()].sort())
        for (const host of ['x', 'y', 'z'])
          expect(routes.byHost(host)?.id).toBe([...model.values()].find((one) => one.host === host)?.id)
        for (const tenant of ['a', 'b'])
          expect(routes.count(tenant)).toBe([...model.keys()].filter((id) => id[0] === tenant).length)
      }),
      { numRuns: 500 },
    )
  })

  test('a reserved host is held for one workload until it is freed', () => {
    const routes = table()
    expect(routes.reserve('h', 'a' as WorkloadId)).toBe(true)
    expect(routes.reserve('h', 'a' as WorkloadId)).toBe(true)
    expect(routes.reserve('h', 'b' as WorkloadId)).toBe(false)
    routes.free('h', 'b' as WorkloadId)
    expect(routes.owner('h')).toBe('a')
    routes.free('h', 'a' as WorkloadId)
    expect(routes.reserve('h', 'b' as WorkloadId)).toBe(true)
  })
})

const pages = (routes: ReturnType<typeof table>): string[] => {
  const ids: string[] = []
  for (let page = routes.list(undefined, 3); page.length; page = routes.list(page.at(-1)?.id, 3))
    ids.push(...page.map(({ id }) => id))
  return ids
}

describe('turns', () => {
  test('whoever shares a key goes in the order of coming, the others do not wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }), { maxLength: 20 }),
        async (asked) => {
          const queue = turns()
          const began: number[] = []
          const held = new Set<string>()
          await Promise.all(
            asked.map(async (keys, index) => {
              const { ready, give } = queue.take(keys)
              await ready
              for (const key of keys) expect(held.has(key)).toBe(false)
              for (const key of keys) held.add(key)
              began.push(index)
              await new Promise(setImmediate)
              for (const key of keys) held.delete(key)
              give()
            }),
          )
          for (const key of ['a', 'b', 'c', 'd'] as const) {
            const order = began.filter((index) => asked[index]?.includes(key))
            expect(order).toEqual(order.toSorted((a, b) => a - b))
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})
