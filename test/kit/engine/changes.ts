import { expect } from 'vitest'
import type { Http1 } from '../clients/h1.ts'
import { backend, becomes, type Cases, signal } from './cases.ts'
import { idOf, type World } from './world.ts'

/** What a client on this connection gets for the host now: a text, a status, or that it was closed. */
const asks = (client: Http1, host: string) =>
  client.request('GET /', { Host: host }).then(
    ({ status, text }) => (status === 200 ? text : status),
    () => 'closed',
  )
const served = async (world: World, host: string) =>
  world.get(host).then(
    ({ status, text }) => (status === 200 ? text : status),
    () => 'refused',
  )
const notServed = async (world: World, host: string) => expect([404, 'refused']).toContain(await served(world, host))

/** Routes that come, change and go while clients are there. */
export const changes: Cases = {
  'serves a route from the moment that it is live': async (open) => {
    const world = await open()
    const web = await backend('hello')
    for (let count = 0; count < 10; count++) {
      await world.set(`1-${count}-a`, `host${count}.wild.test`, [web.url])
      expect((await world.get(`host${count}.wild.test`)).text).toBe('hello')
    }
  },

  'changes the backends under load without one failed request': async (open) => {
    const world = await open()
    const webs = await Promise.all(['one', 'two', 'three'].map((name) => backend(name)))
    const urls = webs.map(({ url }) => url)
    await world.set('1-1-a', 'a.test', urls.slice(0, 1))
    const state = { over: false }
    const answers = new Map<string | number, number>()
    const count = (answer: string | number) => answers.set(answer, (answers.get(answer) ?? 0) + 1)
    const keeping = Array.from({ length: 3 }, async () => {
      const client = await world.h1('a.test')
      while (!state.over) count(await asks(client, 'a.test'))
    })
    const streaming = Array.from({ length: 2 }, async () => {
      const client = await world.h2('a.test')
      while (!state.over) count((await client.request({ headers: {} })).text)
    })
    const calling = (async () => {
      while (!state.over) count(await served(world, 'a.test'))
    })()
    for (let round = 0; round < 15; round++) {
      await world.set('1-1-a', 'a.test', [urls[round % 3] ?? ''])
      expect(await served(world, 'a.test')).toBe(['one', 'two', 'three'][round % 3])
    }
    state.over = true
    await Promise.all([...keeping, ...streaming, calling])
    expect([...answers.keys()].sort()).toEqual(['one', 'three', 'two'])
  },

  'lets an answer of the old backend finish after the change': async (open) => {
    const world = await open()
    const go = signal()
    const old = await backend(async (_, response) => {
      response.write('begun ')
      await go.happened
      response.end('and ended')
    })
    await world.set('1-1-a', 'a.test', [old.url])
    const begun = signal()
    const running = (await world.h1('a.test')).request('GET /', { Host: 'a.test' }, undefined, { started: () => begun.happen() })
    await begun.happened
    await world.set('1-1-a', 'a.test', [(await backend('new')).url])
    expect((await world.get('a.test')).text).toBe('new')
    go.happen()
    expect((await running).text).toBe('begun and ended')
  },

  'moves a workload to another host': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'old.wild.test', [web.url])
    const kept = await world.h1('old.wild.test')
    expect(await asks(kept, 'old.wild.test')).toBe('hello')
    await world.set('1-1-a', 'new.wild.test', [web.url])
    expect(await served(world, 'new.wild.test')).toBe('hello')
    await notServed(world, 'old.wild.test')
    expect([404, 421, 'closed']).toContain(await asks(kept, 'old.wild.test'))
    await world.set('1-1-b', 'old.wild.test', [(await backend('other')).url])
    expect(await served(world, 'old.wild.test')).toBe('other')
  },

  'takes the same Set twice as once, and leaves open connections be': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    const kept = await world.h1('a.test')
    expect(await asks(kept, 'a.test')).toBe('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    expect(await asks(kept, 'a.test')).toBe('hello')
  },

  'takes a delete twice, and of what never was, as done': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    await world.set('1-1-b', 'b.test', [(await backend('stays')).url])
    await world.delete('1-1-a')
    await world.delete('1-1-a')
    await world.delete('9-9-never')
    await notServed(world, 'a.test')
    expect(await served(world, 'b.test')).toBe('stays')
  },

  'serves again what was deleted and set again, at once': async (open) => {
    const world = await open()
    const web = await backend('hello')
    for (let round = 0; round < 5; round++) {
      await world.set('1-1-a', 'a.wild.test', [web.url])
      expect(await served(world, 'a.wild.test')).toBe('hello')
      await world.delete('1-1-a')
      await notServed(world, 'a.wild.test')
    }
  },

  'serves a thousand routes that come together, and takes them away together': async (open) => {
    const world = await open()
    const web = await backend((request, response) => response.end(request.headers.host))
    const names = Array.from({ length: 1_000 }, (_, at) => `host${at}.wild.test`)
    await Promise.all(names.map((host, at) => world.set(`1-${at}-many`, host, [web.url])))
    const some = names.filter((_, at) => at % 97 === 0)
    for (const host of some) expect(await served(world, host)).toBe(host)
    await Promise.all(names.map((_, at) => (at === 0 ? undefined : world.delete(`1-${at}-many`))))
    for (const host of some.slice(1)) await notServed(world, host)
    expect(await served(world, 'host0.wild.test')).toBe('host0.wild.test')
  },

  'refuses one change of many without the others': async (open) => {
    const world = await open()
    const web = await backend('hello')
    const dispatch = (id: string, fqdn: string) =>
      world.gateway.dispatch({ do: 'set-fqdn', id: idOf(id), fqdn, backends: [web.url], passthrough: false }, { wait: 'live' })
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 5 }, (_, at) => dispatch(`1-${at}-a`, `host${at}.wild.test`)),
      dispatch('1-9-taken', 'host0.wild.test'),
    ])
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    for (let at = 0; at < 5; at++) expect(await served(world, `host${at}.wild.test`)).toBe('hello')
  },

  'serves after a restart what is stored, with no Set': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'a.wild.test', [web.url])
    await world.set('1-1-b', 'b.wild.test', [web.url])
    await world.restart()
    await becomes(() => served(world, 'a.wild.test'), 'hello')
    await becomes(() => served(world, 'b.wild.test'), 'hello')
  },

  'drops at its start what is not stored': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-gone', 'gone.wild.test', [web.url])
    await world.set('1-1-stays', 'stays.wild.test', [web.url])
    await world.close()
    world.memory.routes.delete(idOf('1-1-gone'))
    await world.restart()
    await becomes(() => served(world, 'stays.wild.test'), 'hello')
    await notServed(world, 'gone.wild.test')
  },
}
