import fc from 'fast-check'
import { expect } from 'vitest'
import { backend, eventually } from '../kit/engine/cases.ts'
import { answerTo } from '../plugins/transport/zbus-parts.ts'
import { engines, enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute, underLoad } from './old-route.ts'
import { zbusWorld } from './zbus-world.ts'

faultOn(14, 'a request that comes twice is carried out once, with the same answer', enginesWith, async (open) => {
  const { world, client, set, setRequest, removeRequest } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  const [one, two] = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002']
  const first = setRequest('1-1-a', 'a.test', one)
  await client.rpush(first.queue, first.payload)
  const answer = await answerTo(client, first.id)
  expect(answer.Output.Error).toBeNull()
  expect(await set('1-1-a', 'a.test', two)).toBe('ok')
  // Its caller asks again, late: what came behind it stands.
  await client.rpush(first.queue, first.payload)
  expect(await answerTo(client, first.id)).toEqual(answer)
  expect(world.gateway.routes.get('1-1-a' as never)?.backends).toEqual([two])
  const end = removeRequest('1-1-a')
  await client.rpush(end.queue, end.payload, end.payload)
  expect((await answerTo(client, end.id)).Output.Error).toBeNull()
  expect(world.gateway.routes.get('1-1-a' as never)).toBeUndefined()
})

faultOn(14, 'Sets and Deletes, however often and in whatever order, end as the last one says', engines, async (open) => {
  const world = await open()
  await using _old = await oldRoute(world)
  const webs = [await backend('0'), await backend('1')]
  // Its certificate answers for the whole of wild.test, where there is a 404 to read.
  await world.set('900-1-wild', 'stays.wild.test', [webs[0]!.url])
  const step = fc.record({ id: fc.nat(2), to: fc.option(fc.nat(1)), times: fc.integer({ min: 1, max: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const model = new Map<number, string>()
      for (let id = 0; id < 3; id++) await world.delete(`1-${id}-m`)
      for (const { id, to, times } of steps)
        for (let n = 0; n < times; n++) {
          if (to === null) {
            await world.delete(`1-${id}-m`)
            model.delete(id)
          } else {
            await world.set(`1-${id}-m`, `m${id}.wild.test`, [webs[to]!.url])
            model.set(id, String(to))
          }
        }
      for (let id = 0; id < 3; id++) {
        const wanted = model.get(id)
        if (wanted === undefined) expect((await world.get(`m${id}.wild.test`)).status).toBe(404)
        else await eventually(async () => expect((await world.get(`m${id}.wild.test`)).text).toBe(wanted))
      }
    }),
    { numRuns: 5 },
  )
})

faultOn(14, 'backends that change twenty times under load leave no gap', engines, async (open) => {
  const world = await open()
  await using _old = await oldRoute(world)
  const [one, two] = [await backend('same'), await backend('same')]
  await world.set('1-1-a', 'a.test', [one.url])
  await using load = await underLoad({ host: 'a.test', text: 'same', connect: () => world.h1('a.test') })
  for (let n = 0; n < 20; n++) {
    await world.set('1-1-a', 'a.test', [n % 2 ? one.url : two.url])
    const before = load.served
    await eventually(() => expect(load.served).toBeGreaterThan(before))
  }
  expect([one.requests.length, two.requests.length].every((count) => count > 0)).toBe(true)
})
