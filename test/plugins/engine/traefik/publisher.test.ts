import { expect, it, onTestFinished } from 'vitest'
import { type Channel, Publisher } from '../../../../plugins/engine/traefik/publisher.ts'

/** A publisher whose Traefik takes what `takes` says, and what was offered. */
const stand = (
  takes: (generation: number) => boolean,
  more: Partial<Channel> = {},
  told: (generation: number) => void = () => undefined,
) => {
  const stop = new AbortController()
  const offered: { readonly generation: number; readonly at: number }[] = []
  const failures: string[] = []
  const publisher = new Publisher({
    channel: {
      running: () => true,
      silent: () => undefined,
      offer: async (generation) => void offered.push({ generation, at: performance.now() }),
      served: async () => {
        const generation = offered.at(-1)?.generation ?? 0
        return takes(generation) ? generation : 0
      },
      ...more,
    },
    signal: stop.signal,
    told: async (generation) => told(generation),
    failed: (why) => void failures.push(why),
  })
  onTestFinished(async () => {
    stop.abort()
    await publisher.close()
  })
  return { publisher, offered, failures }
}

it('offers what Traefik did not take again within a second or so, under another number and with what came meanwhile', async () => {
  let lost = 0
  const { publisher, offered, failures } = stand((generation) => {
    if (lost === 0) lost = generation
    return generation !== lost
  })
  const first = publisher.publish()
  await expect.poll(() => offered.length).toBe(1)
  const second = publisher.publish()
  await publisher.served(second, AbortSignal.timeout(30_000))
  const [one, two] = offered
  expect(one?.generation).toBe(first)
  expect(two?.generation).toBeGreaterThanOrEqual(second)
  expect((two?.at ?? 0) - (one?.at ?? 0)).toBeLessThan(5_000)
  expect(failures).toEqual([])
})

it('tells of what is served where more is wanted all along', async () => {
  const told = Promise.withResolvers<number>()
  const { publisher } = stand(
    () => {
      publisher.publish()
      return true
    },
    {},
    told.resolve,
  )
  const first = publisher.publish()
  expect(await told.promise).toBeGreaterThanOrEqual(first)
})

it('asks a Traefik that needs long for each no more often than it needs', async () => {
  let at = performance.now()
  const { publisher, offered } = stand(() => performance.now() - at > 700)
  for (let round = 0; round < 3; round++) {
    at = performance.now()
    await publisher.served(publisher.publish(), AbortSignal.timeout(30_000))
  }
  expect(offered.length).toBeLessThanOrEqual(6)
})

it('has nobody wait for a Traefik that answers nothing', async () => {
  let silent: string | undefined
  const { publisher } = stand(() => false, { silent: () => silent })
  const waits = publisher.served(publisher.publish(), AbortSignal.timeout(30_000))
  silent = 'it answers nothing'
  await expect(waits).rejects.toThrow('it answers nothing')
})

it('does not wait for one that does not run, but for what it will find', async () => {
  const put = Promise.withResolvers<void>()
  const { publisher } = stand(() => false, { running: () => false, offer: () => put.promise })
  let done = false
  const waits = publisher.served(publisher.publish(), AbortSignal.timeout(30_000)).then(() => {
    done = true
  })
  await new Promise(setImmediate)
  expect(done).toBe(false)
  put.resolve()
  await waits
})

it('tells of what is served again where telling failed, and has nobody wait for that', async () => {
  const stop = new AbortController()
  const failures: string[] = []
  const order: string[] = []
  const told = Promise.withResolvers<number>()
  const publisher = new Publisher({
    channel: {
      running: () => true,
      silent: () => undefined,
      offer: async () => undefined,
      served: async () => Number.POSITIVE_INFINITY,
    },
    signal: stop.signal,
    async told(generation) {
      if (failures.length === 0) throw new Error('no answer')
      order.push('told')
      told.resolve(generation)
    },
    failed: (why) => void failures.push(why),
  })
  onTestFinished(async () => {
    stop.abort()
    await publisher.close()
  })
  const generation = publisher.publish()
  await publisher.served(generation, AbortSignal.timeout(30_000))
  order.push('served')
  expect(await told.promise).toBe(generation)
  expect(order).toEqual(['served', 'told'])
  expect(failures).toEqual(['no answer'])
})
