import { expect } from 'vitest'
import { backend, eventually } from '../kit/engine/cases.ts'
import { defer } from '../kit/engine/world.ts'
import { startRedis } from '../kit/index.ts'
import { answerTo, call, manager, plain } from '../plugins/transport/zbus-parts.ts'
import { enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { zbusWorld } from './zbus-world.ts'

const backendOf = (n: number) => `http://127.0.0.1:${9_000 + n}`

faultOn(13, 'a Redis that is killed and comes back answers what was asked, once', enginesWith, async (open) => {
  const { world, redis, client, set, setRequest } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  expect(await set('1-1-a', 'a.test', backendOf(1))).toBe('ok')
  for (let round = 0; round < 2; round++) {
    const asked = Array.from({ length: 10 }, (_, n) => setRequest(`1-${n}-r`, `r${n}.test`, backendOf(round)))
    for (const { queue, payload } of asked) await client.rpush(queue, payload)
    await redis.restart('SIGKILL')
    const again = plain(redis.path)
    for (const { id } of asked) expect((await answerTo(again, id)).Output.Error).toBeNull()
    for (const { id } of asked) expect(await again.llen(id)).toBe(0)
    for (let n = 0; n < 10; n++) expect(world.gateway.routes.get(`1-${n}-r` as never)?.backends).toEqual([backendOf(round)])
  }
})

faultOn(13, 'connections that Redis ends in the middle of the work lose nothing', enginesWith, async (open) => {
  const { world, client, set } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  const said: Promise<string>[] = []
  for (let n = 0; n < 100; n++) {
    const caller = plain(client.options.path ?? '')
    said.push(
      call(caller, manager, 'SetFQDNProxy', `1-${n}-c`, { FQDN: `c${n}.test`, Backends: [backendOf(n)] }).then(
        ({ Output }) => Output.Error?.Message ?? 'ok',
      ),
    )
    if (n % 10 === 5)
      for (const [, id] of String(await client.client('LIST')).matchAll(/^id=(\d+) .* name=zbus:/gm))
        await client.client('KILL', 'ID', id ?? '')
  }
  expect(new Set(await Promise.all(said))).toEqual(new Set(['ok']))
  for (let n = 0; n < 100; n++) expect(world.gateway.routes.get(`1-${n}-c` as never)?.backends).toEqual([backendOf(n)])
  expect(await set('1-1-a', 'a.test', backendOf(1))).toBe('ok')
})

faultOn(13, 'a partition is noticed, and what was asked meanwhile is answered behind it', enginesWith, async (open) => {
  const { world, link, client, state, setRequest } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  const web = await backend('through')
  link.hold()
  const { id, queue, payload } = setRequest('1-1-p', 'p.wild.test', web.url)
  await client.rpush(queue, payload)
  await eventually(() => expect(state()).toBe('degraded'))
  expect(world.gateway.routes.get('1-1-p' as never)).toBeUndefined()
  link.heal()
  expect((await answerTo(client, id)).Output.Error).toBeNull()
  await eventually(() => expect(state()).toBe('ok'))
  await eventually(async () => expect((await world.get('p.wild.test')).text).toBe('through'))
})

faultOn(
  13,
  'a link that takes two seconds there and back, with stalls of ten more, is slow and nothing else',
  enginesWith,
  async (open) => {
    const { world, link, client, setRequest, removeRequest } = await zbusWorld(open)
    await using _old = await oldRoute(world)
    link.slow(1_000, 9)
    const asked = Array.from({ length: 4 }, (_, n) => setRequest(`1-${n}-s`, `s${n}.test`, backendOf(n)))
    asked.push(removeRequest('1-3-s'))
    for (const { queue, payload } of asked) await client.rpush(queue, payload)
    for (const { id } of asked) expect((await answerTo(client, id)).Output.Error).toBeNull()
    for (let n = 0; n < 3; n++) expect(world.gateway.routes.get(`1-${n}-s` as never)?.backends).toEqual([backendOf(n)])
    expect(world.gateway.routes.get('1-3-s' as never)).toBeUndefined()
  },
)

faultOn(13, 'another Redis in its place, and an emptied one, are served as they are', enginesWith, async (open) => {
  const { world, link, redis, client, set } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  expect(await set('1-1-a', 'a.test', backendOf(1))).toBe('ok')
  await client.flushall()
  expect(await set('1-1-a', 'a.test', backendOf(2))).toBe('ok')
  const other = await startRedis()
  defer(other.close)
  link.lead(other.port)
  await redis.stop('SIGKILL')
  const answer = await call(plain(other.path), manager, 'SetFQDNProxy', '1-1-a', { FQDN: 'a.test', Backends: [backendOf(3)] })
  expect(answer.Output.Error).toBeNull()
  expect(world.gateway.routes.get('1-1-a' as never)?.backends).toEqual([backendOf(3)])
})
