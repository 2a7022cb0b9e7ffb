import fc from 'fast-check'
import { expect } from 'vitest'
import { encode } from '../../lib/zbus/index.ts'
import { eventually } from '../kit/engine/cases.ts'
import { answerTo, manager, request } from '../plugins/transport/zbus-parts.ts'
import { enginesWith } from './engines.ts'
import { fault, faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { zbusWorld } from './zbus-world.ts'

const queue = 'gateway.manager@0.0.1'
const object = { Name: 'manager', Version: '0.0.1' }
const hex = (text: string) => Buffer.from(text, 'hex')

/** No requests at all: nobody can be answered. */
const junk: readonly Buffer[] = [
  hex('ddffffffff'), // an array of 2^32-1
  hex('dfffffffff'), // a map
  hex('dbffffffff'), // a text
  hex('c6ffffffff'), // bytes
  hex('c9ffffffff01'), // an extension
  Buffer.concat([Buffer.alloc(10_000, 0x91), hex('c0')]),
  Buffer.concat([Buffer.alloc(10_000, 0x81), hex('c0')]),
  hex('c1'),
  Buffer.alloc(0),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  Buffer.from(encode({ __proto__x: 1 })),
]
/** Requests of a sort, by the argument lists that a method does not have. */
const wrong: readonly (readonly [method: string, inputs: unknown])[] = [
  ['SetNamedProxy', []],
  ['SetNamedProxy', [encode('1-1-a')]],
  ['SetNamedProxy', Array.from({ length: 40 }, () => encode('x'))],
  ['SetNamedProxy', [encode(7), encode({})]],
  ['SetNamedProxy', [encode('1-1-a'), hex('81a95f5f70726f746f5f5f81a568656c6c6f01')]],
  ['SetNamedProxy', [encode('1-1-a'), hex('ddffffffff')]],
  ['SetNamedProxy', [encode('1-1-a'), Buffer.concat([Buffer.alloc(10_000, 0x91), hex('c0')])]],
  ['SetFQDNProxy', [encode('1-1-a'), encode({ FQDN: 7, Backends: 'x', TLSPassthrough: 'no' })]],
  ['DeleteNamedProxy', [encode({ ID: '1-1-a' })]],
  ['SetFQDNProxy', 'no list'],
  ['DeleteNamedProxy', [[[[1]]]]],
]

faultOn(
  16,
  'messages that are none are counted, wrong ones are answered with an error of the method, and the next is carried out',
  enginesWith,
  async (open) => {
    const { world, client, set } = await zbusWorld(open)
    await using _old = await oldRoute(world)
    await client.rpush(queue, ...junk)
    for (const [at, [method, inputs]] of wrong.entries()) {
      const id = `wrong-${at}`
      await client.rpush(queue, Buffer.from(encode({ ID: id, Inputs: inputs, Object: object, ReplyTo: id, Method: method })))
      const answer = await answerTo(client, id)
      // An error of zbus makes the Go client's stub panic.
      expect([method, at, answer.Error]).toEqual([method, at, null])
      expect(answer.Output.Error?.Message).toBeTruthy()
    }
    const dead = () => client.llen('gateway.deadletter')
    await eventually(async () => expect(await dead()).toBe(junk.length))
    const { id, payload } = request(manager, 'NoSuch', [])
    await client.rpush(queue, payload)
    expect((await answerTo(client, id)).Error).toBe('not a function')
    expect(await set('1-1-a', 'a.test', 'http://127.0.0.1:9000')).toBe('ok')
  },
)

faultOn(16, 'whatever bytes come, every call behind them is answered and none is left over', enginesWith, async (open) => {
  const { world, client, set } = await zbusWorld(open)
  await using _old = await oldRoute(world)
  const whole = request(manager, 'SetFQDNProxy', ['1-1-r', { FQDN: 'r.test', Backends: ['http://127.0.0.1:9000'] }]).payload
  const bent = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
    const copy = Buffer.from(whole)
    for (const [at, byte] of changes) copy[at] = byte
    return copy
  })
  const cut = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length))
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(bent, cut, random), { minLength: 50, maxLength: 50 }), async (all) => {
      await client.rpush(queue, ...all)
      expect(await set('1-1-a', 'a.test', 'http://127.0.0.1:9000')).toBe('ok')
    }),
    { numRuns: 10 },
  )
  await eventually(async () => expect(await client.exists(queue)).toBe(0))
  await eventually(async () => expect(await client.keys('gateway.taken.*')).toEqual([expect.stringMatching(/guard$/)]))
})

fault(16, 'an element of 64 MiB is answered without being fetched, and the memory stays flat', async () => {
  const { world, client, set, link } = await zbusWorld(enginesWith.embedded)
  await using _old = await oldRoute(world)
  const before = link.bytes
  await client.eval("redis.call('RPUSH', KEYS[1], string.rep('x', 67108864))", 1, queue)
  await eventually(async () => expect(await client.llen('gateway.deadletter')).toBe(1))
  expect(await set('1-1-a', 'a.test', 'http://127.0.0.1:9000')).toBe('ok')
  expect(link.bytes - before).toBeLessThan(1 << 20)
})
