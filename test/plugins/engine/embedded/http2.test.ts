import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { openFrames } from '../../../kit/clients/h2-frames.ts'
import { backend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'

const open = openWorld(({ http, https, drain }) =>
  embedded({ http: { port: http }, https: { port: https }, drain, limits: { controlFrames: 20 } }),
)
const [ping, settings] = [6, 4]

test.each([
  ['PING', ping, 8],
  ['SETTINGS', settings, 0],
])('an HTTP/2 client that floods with %s frames is told to calm down, and others are served', async (_name, type, size) => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
  const other = await world.h2('a.test')
  const flood = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(flood.close)
  const sent = (async () => {
    for (let count = 0; count < 500; count++) await flood.send(type, 0, 0, Buffer.alloc(size))
  })().catch(() => undefined)
  expect(await flood.outcome(1)).not.toBe('ok')
  await sent
  expect((await other.request({ headers: {} })).text).toBe('fine')
  expect(world.log.some((line) => line.includes('floods'))).toBe(true)
})
