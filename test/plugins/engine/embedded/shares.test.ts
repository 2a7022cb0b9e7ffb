import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { shares } from '../../../../plugins/engine/embedded/shares.ts'
import { backend, becomes, bytesBackend } from '../../../kit/engine/cases.ts'
import { type Open, openWorld } from '../../../kit/engine/world.ts'

// The tenant of this suite's workloads is their id.
const open = (limits: { tenantConnections?: number; tenantRequests?: number }): ReturnType<Open> =>
  openWorld(({ http, https, drain }) => embedded({ http: { port: http }, https: { port: https }, drain, limits }))()

test('a tenant that has its share of requests under way gets 503, others are served, and it is again when some have ended', async () => {
  const world = await open({ tenantRequests: 3 })
  const free = Promise.withResolvers<void>()
  const slow = await backend(async (_, response) => {
    await free.promise
    response.end('late')
  })
  await world.set('loud', 'loud.test', [slow.url])
  await world.set('quiet', 'quiet.test', [(await backend('quiet')).url])
  const held = [world.get('loud.test'), world.get('loud.test'), world.get('loud.test')]
  await becomes(() => slow.requests.length, 3)
  expect((await world.get('loud.test')).status).toBe(503)
  expect((await world.get('quiet.test')).text).toBe('quiet')
  free.resolve()
  expect((await Promise.all(held)).map(({ text }) => text)).toEqual(['late', 'late', 'late'])
  expect((await world.get('loud.test')).text).toBe('late')
})

test('passed-through connections count as well', async () => {
  const world = await open({ tenantRequests: 1 })
  const raw = await bytesBackend(() => undefined)
  await world.set('loud', 'loud.test', [raw.address], true)
  await world.set('quiet', 'quiet.test', [(await backend('quiet')).url])
  const first = world.h1('loud.test').catch(() => undefined)
  await becomes(async () => (await world.bytes('loud')).request > 0, true)
  await expect(world.h1('loud.test')).rejects.toThrow()
  expect((await world.get('quiet.test')).text).toBe('quiet')
  await world.close()
  await first
})

test('a tenant that has its share of connections gets no more until one has ended', async () => {
  const world = await open({ tenantConnections: 2 })
  await world.set('loud', 'loud.test', [(await backend('loud')).url])
  await world.set('quiet', 'quiet.test', [(await backend('quiet')).url])
  const [one] = [await world.h1('loud.test'), await world.h1('loud.test')]
  await expect(world.h1('loud.test')).rejects.toThrow()
  expect((await world.get('quiet.test')).text).toBe('quiet')
  one?.close()
  await becomes(
    () =>
      world.get('loud.test').then(
        ({ text }) => text,
        () => 'refused',
      ),
    'loud',
  )
})

test('a share of none is any amount', () => {
  const any = shares(0)
  expect(Array.from({ length: 1_000 }, () => any.enter('7')).every(Boolean)).toBe(true)
})
