import { expect } from 'vitest'
import type { Bytes } from '../../../core/index.ts'
import { createAuthority } from '../authority.ts'
import { echoWhole } from '../backends/http.ts'
import { backend, becomes, type Cases, eventually, signal } from './cases.ts'
import { idOf, type World } from './world.ts'

const post = async (world: World, host: string, size: number, ca = world.authority.root) => {
  const client = await world.h1(host, { ca })
  const answer = await client.request('POST /', { Host: host }, 'x'.repeat(size))
  client.close()
  expect(answer.body).toHaveLength(size)
}

/** The counters over changes of what is counted. */
export const ledger: Cases = {
  'counts each workload for itself': async (open) => {
    const world = await open()
    const web = await backend(echoWhole)
    const ids = [1, 2, 3, 4, 5].map((size) => ({ id: `${size}-1-a`, host: `host${size}.wild.test`, size }))
    for (const { id, host } of ids) await world.set(id, host, [web.url])
    await Promise.all(ids.flatMap(({ host, size }) => Array.from({ length: size }, () => post(world, host, size * 100))))
    for (const { id, size } of ids)
      await becomes(() => world.bytes(id), { request: size * size * 100, response: size * size * 100 })
  },

  'leaves out nothing that changed since the reading that it is asked about': async (open) => {
    const world = await open()
    const web = await backend(echoWhole)
    for (const name of ['a', 'b']) await world.set(`1-1-${name}`, `${name}.test`, [web.url])
    await post(world, 'a.test', 100)
    await becomes(() => world.bytes('1-1-a'), { request: 100, response: 100 })
    const { mark, epoch } = await world.traffic()
    await post(world, 'b.test', 20)
    await becomes(() => world.bytes('1-1-b'), { request: 20, response: 20 })
    const later = await world.traffic(mark)
    expect([later.epoch, later.bytes.get(idOf('1-1-b'))]).toEqual([epoch, { request: 20, response: 20 }])
    expect([undefined, { request: 100, response: 100 }]).toContainEqual(later.bytes.get(idOf('1-1-a')))
  },

  'says nothing, or nothing but zeros, of a workload without traffic': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    expect(await world.bytes('1-1-a')).toEqual({ request: 0, response: 0 })
    const removed = world.removed('1-1-a')
    await world.delete('1-1-a')
    expect(await removed).toEqual({ request: 0, response: 0 })
  },

  'counts on over a change of backends, of the host and of the mode': async (open) => {
    const world = await open()
    const [one, two] = [await backend(echoWhole), await backend(echoWhole)]
    const tenant = await createAuthority()
    await world.set('1-1-a', 'a.test', [one.url])
    await post(world, 'a.test', 1_000)
    await world.set('1-1-a', 'a.test', [two.url])
    await post(world, 'a.test', 200)
    await world.set('1-1-a', 'b.test', [two.url])
    await post(world, 'b.test', 30)
    await becomes(() => world.bytes('1-1-a'), { request: 1_230, response: 1_230 })
    const own = await backend(echoWhole, { tls: await tenant.issue(['b.test']) })
    await world.set('1-1-a', 'b.test', [own.address], true)
    await post(world, 'b.test', 4, tenant.root)
    await eventually(async () => expect((await world.bytes('1-1-a')).request).toBeGreaterThan(1_234))
    await world.set('1-1-a', 'b.test', [two.url])
    expect((await world.bytes('1-1-a')).request).toBeGreaterThan(1_234)
  },

  'counts from zero a workload that is set again after it was removed': async (open) => {
    const world = await open()
    const web = await backend(echoWhole)
    for (const size of [100, 20, 3]) {
      await world.set('1-1-a', 'a.test', [web.url])
      await post(world, 'a.test', size)
      await becomes(() => world.bytes('1-1-a'), { request: size, response: size })
      const removed = world.removed('1-1-a')
      await world.delete('1-1-a')
      expect(await removed).toEqual({ request: size, response: size })
      expect((await world.traffic()).bytes.has('1-1-a' as never)).toBe(false)
    }
  },

  'counts on, and loses nothing, where a workload is set again while its old connections drain': async (open) => {
    const world = await open({ drain: 30 })
    const [begun, go] = [signal(), signal()]
    const web = await backend(async (_, response) => {
      response.write('begun ')
      await go.happened
      response.end('and ended')
    })
    await world.set('1-1-a', 'a.wild.test', [web.url])
    const answer = (await world.h1('a.wild.test')).request('GET /', { Host: 'a.wild.test' }, undefined, {
      started: () => begun.happen(),
    })
    // Where the case fails before it is whole, nobody waits for it.
    answer.catch(() => undefined)
    await begun.happened
    await becomes(() => world.bytes('1-1-a'), { request: 0, response: 6 })
    await world.delete('1-1-a')
    await world.set('1-1-a', 'a.wild.test', [(await backend('new')).url])
    expect((await world.bytes('1-1-a')).response).toBeGreaterThanOrEqual(6)
    expect((await world.get('a.wild.test')).text).toBe('new')
    go.happen()
    expect((await answer).text).toBe('begun and ended')
    await becomes(() => world.bytes('1-1-a'), { request: 0, response: 18 })
  },

  'says removed once, with everything, where a workload is deleted, set and deleted while its old connections drain': async (
    open,
  ) => {
    const world = await open({ drain: 30 })
    const [begun, go] = [signal(), signal()]
    const web = await backend(async (_, response) => {
      response.write('begun ')
      await go.happened
      response.end('and ended')
    })
    await world.set('1-1-a', 'a.wild.test', [web.url])
    const client = await world.h1('a.wild.test')
    const answer = client.request('GET /', { Host: 'a.wild.test' }, undefined, { started: () => begun.happen() })
    answer.catch(() => undefined)
    await begun.happened
    const figures: Bytes[] = []
    const removed = world.event((event) => {
      if (event.type === 'removed') figures.push(event.bytes)
      return event.type === 'deleted' && event.route.id === '9-9-end'
    })
    const last = world.removed('1-1-a')
    await world.delete('1-1-a')
    await world.set('1-1-a', 'a.wild.test', [(await backend('new')).url])
    expect((await world.get('a.wild.test')).text).toBe('new')
    await world.delete('1-1-a')
    go.happen()
    expect((await answer).text).toBe('begun and ended')
    expect(await last).toEqual({ request: 0, response: 18 })
    await world.set('9-9-end', 'end.wild.test', [web.url])
    await world.delete('9-9-end')
    await removed
    expect(figures.filter(({ response }) => response > 0)).toEqual([{ request: 0, response: 18 }])
  },

  'never lets a figure fall within an epoch': async (open) => {
    const world = await open()
    const web = await backend(echoWhole)
    await world.set('1-1-a', 'a.test', [web.url])
    const state = { over: false }
    const load = (async () => {
      while (!state.over) await post(world, 'a.test', 2_000)
    })()
    // Told below.
    load.catch(() => undefined)
    let last = 0
    const look = async () => {
      const { response } = await world.bytes('1-1-a')
      expect(response).toBeGreaterThanOrEqual(last)
      last = response
    }
    try {
      for (let round = 0; round < 12; round++) {
        await world.set('1-1-a', 'a.test', round % 2 === 0 ? [web.url] : [web.url, web.url])
        await look()
        await look()
      }
    } finally {
      state.over = true
    }
    await load
    await eventually(look)
    expect(last).toBeGreaterThan(0)
  },

  'begins another epoch where the counters begin again': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend(echoWhole)).url])
    await post(world, 'a.test', 1_000)
    await becomes(() => world.bytes('1-1-a'), { request: 1_000, response: 1_000 })
    const { epoch } = await world.traffic()
    expect((await world.traffic()).epoch).toBe(epoch)
    await world.restart()
    const after = await world.traffic()
    const kept = after.bytes.get('1-1-a' as never)?.request ?? 0
    expect(after.epoch !== epoch || kept >= 1_000).toBe(true)
  },
}
