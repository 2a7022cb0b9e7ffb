import { expect } from 'vitest'
import { backend, type Cases, eventually } from './cases.ts'
import { idOf, type World } from './world.ts'

/** Routes in place: enough for an engine that reads all of them for a change to take a while. */
const inPlace = 120
/**
 * ms from the answer of a Set until the route is served: far more than an engine needs on a busy machine, and less than the 15 s of one
 * that misses a change and takes it only with a later try.
 */
const soon = 10_000

const served = (world: World, host: string) =>
  world.get(host).then(
    ({ status, text }) => (status === 200 ? text : status),
    () => 'refused',
  )
const notServed = async (world: World, host: string) => expect([404, 'refused']).toContain(await served(world, host))

/** A Set that is answered when it is taken, as callers wait for it; the route may be live later. */
const set = (world: World, id: string, fqdn: string, backend: string) =>
  world.gateway.dispatch({ do: 'set-fqdn', id: idOf(id), fqdn, backends: [backend], passthrough: false })

const untilServed = async (world: World, host: string, text: string) => {
  const began = performance.now()
  await eventually(async () => expect(await served(world, host)).toBe(text))
  const took = performance.now() - began
  expect(took, `${host} took ${took.toFixed(0)} ms to be served`).toBeLessThan(soon)
}

/** A world with routes in place, one of which each caller sees served all along. */
const withRoutes = async (world: World, url: string) => {
  await Promise.all(Array.from({ length: inPlace }, (_, at) => set(world, `1-${at}-base`, `base${at}.wild.test`, url)))
  await untilServed(world, `base${inPlace - 1}.wild.test`, 'hello')
}

/** Each sets a route, and deletes the one before it as soon as that is answered. */
const pairs = async (world: World, caller: number, rounds: number, url: string) => {
  const [id, host] = [(n: number) => `${caller}-${n}-pair`, (n: number) => `pair${caller}x${n}.wild.test`]
  for (let round = 0; round < rounds; round++) {
    await set(world, id(round), host(round), url)
    const seen = untilServed(world, host(round), 'hello')
    // Where the Delete fails first, that is what the test says.
    seen.catch(() => undefined)
    if (round > 0) {
      await world.delete(id(round - 1))
      await notServed(world, host(round - 1))
    }
    await seen
  }
}

/** Each changes the backends of a route of its own, to and fro. */
const toAndFro = async (world: World, caller: number, rounds: number, backends: readonly (readonly [string, string])[]) => {
  for (let round = 0; round < rounds; round++) {
    const [text, url] = backends[round % backends.length] ?? ['', '']
    await set(world, `${caller}-1-change`, `change${caller}.wild.test`, url)
    await untilServed(world, `change${caller}.wild.test`, text)
  }
}

/** Each waits until its route is live, deletes it and begins again. */
const liveAndGone = async (world: World, caller: number, rounds: number, url: string) => {
  const [id, host] = [`${caller}-1-live`, `live${caller}.wild.test`]
  for (let round = 0; round < rounds; round++) {
    await world.set(id, host, [url])
    expect(await served(world, host)).toBe('hello')
    await world.delete(id)
    await notServed(world, host)
  }
}

/** Sets, changes and Deletes in the orders in which callers send them: one behind the other without a rest, and from many at once. */
export const churn: Cases = {
  'serves every Set within seconds where a Delete follows each at once': async (open) => {
    const world = await open()
    const { url } = await backend('hello')
    await withRoutes(world, url)
    await pairs(world, 2, 20, url)
  },

  'serves every Set and every change within seconds where many callers set, change and delete at once': async (open) => {
    const world = await open()
    const [hello, other] = [await backend('hello'), await backend('other')]
    await withRoutes(world, hello.url)
    const backends = [['hello', hello.url] as const, ['other', other.url] as const]
    await Promise.all([
      ...Array.from({ length: 6 }, (_, at) => pairs(world, 10 + at, 8, hello.url)),
      ...Array.from({ length: 3 }, (_, at) => liveAndGone(world, 30 + at, 8, hello.url)),
      ...Array.from({ length: 3 }, (_, at) => toAndFro(world, 20 + at, 8, backends)),
    ])
    await eventually(async () => expect(await served(world, 'base0.wild.test')).toBe('hello'))
  },

  'ends as asked where one workload is set, changed and deleted without waiting between': async (open) => {
    const world = await open()
    const [hello, other] = [await backend('hello'), await backend('other')]
    await withRoutes(world, hello.url)
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        set(world, '2-1-a', 'a.wild.test', hello.url),
        set(world, '2-1-a', 'a.wild.test', other.url),
        world.delete('2-1-a'),
        set(world, '2-1-a', 'a.wild.test', other.url),
        set(world, '2-2-b', 'b.wild.test', hello.url),
        world.delete('2-2-b'),
      ])
      await untilServed(world, 'a.wild.test', 'other')
      await notServed(world, 'b.wild.test')
    }
  },
}
