import { expect, it, onTestFinished } from 'vitest'
import { Publisher } from '../../../../plugins/engine/traefik/publisher.ts'

it('tells of what is served again where telling failed, and has nobody wait for that', async () => {
  const stop = new AbortController()
  const failures: string[] = []
  const order: string[] = []
  const told = Promise.withResolvers<number>()
  const publisher = new Publisher({
    channel: { running: () => true, offer: async () => undefined, served: async () => true },
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
