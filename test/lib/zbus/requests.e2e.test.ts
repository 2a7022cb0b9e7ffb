import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { encode } from '../../../lib/zbus/index.ts'
import { ages, answerOn, dataOf, plain, queue, redis, request, serve } from './parts.ts'

it.each(ages)('carries out what a killed process had taken, in order, before what came later (%s)', async (_, args) => {
  const server = await redis(args)
  const client = plain(server)
  const stuck = fileURLToPath(new URL('stuck.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', stuck, server.broker.unix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const requests = Array.from({ length: 20 }, (_, n) => request('See', [n]))
  for (const { payload } of requests.slice(0, 10)) await client.rpush(queue, payload)
  let took = 0
  for await (const line of createInterface(child.stdout)) if (line === `took ${took}` && ++took === 10) break
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await client.llen('m.taken.one')).toBe(10)
  for (const { payload } of requests.slice(10)) await client.rpush(queue, payload)

  const seen: unknown[] = []
  const next = await serve(server.broker.unix, { See: { call: ([n]) => void seen.push(n) } })
  for (const { replyTo } of requests) await answerOn(client, replyTo)
  expect(seen).toEqual(requests.map((_, n) => n))
  expect(next.stats()).toMatchObject({ recovered: 10, answered: 20, repeated: 0 })
  expect(await client.exists('m.taken.one')).toBe(0)
})

it('carries a request out once however often it arrives, and gives the same answer', async () => {
  const server = await redis()
  const client = plain(server)
  let calls = 0
  const call = async () => {
    calls++
    await new Promise((done) => setTimeout(done, 20))
    return calls
  }
  const desks = await serve(server.broker.unix, { Next: { call }, Look: { call: () => ++calls, pure: true } })
  const { payload, replyTo } = request('Next')
  await client.rpush(queue, payload, payload, payload)
  expect(dataOf(await answerOn(client, replyTo))).toBe(1)
  await expect.poll(() => client.exists('m.taken.one')).toBe(0)
  expect(await client.exists(replyTo)).toBe(0)
  // Its answer got lost, so it is asked again.
  await client.rpush(queue, payload)
  expect(dataOf(await answerOn(client, replyTo))).toBe(1)
  expect([calls, desks.stats().repeated]).toEqual([1, 3])
  // The same ID with other content is another request.
  const other = request('Next', ['other'], replyTo)
  await client.rpush(queue, other.payload)
  expect(dataOf(await answerOn(client, replyTo))).toBe(2)
  // What changes nothing is looked up anew.
  const look = request('Look')
  for (const count of [3, 4]) {
    await client.rpush(queue, look.payload)
    expect(dataOf(await answerOn(client, look.replyTo))).toBe(count)
  }
})

it('does not leave a second answer beside one that lies there', async () => {
  const server = await redis()
  const client = plain(server)
  await serve(server.broker.unix, { One: { call: () => 1 } })
  const { payload, replyTo } = request('One')
  for (let n = 0; n < 3; n++) {
    await client.rpush(queue, payload)
    await expect.poll(() => client.llen(replyTo)).toBe(1)
    await expect.poll(() => client.exists(queue, 'm.taken.one')).toBe(0)
  }
  expect(await client.llen(replyTo)).toBe(1)
})

/** Pushes a request for `method` whose first argument is `size` bytes long, made inside Redis. */
const pushHuge = (client: Redis, method: string, id: string, size: number) => {
  const { payload } = request(method, [], id)
  const at = payload.indexOf('Inputs') + 6
  const length = Buffer.alloc(5)
  length.writeUInt8(0xc6)
  length.writeUInt32BE(size, 1)
  const [head, tail] = [Buffer.concat([payload.subarray(0, at), Buffer.of(0x91), length]), payload.subarray(at + 1)]
  return client.eval(`redis.call('RPUSH', KEYS[1], ARGV[1] .. string.rep('x', ${size}) .. ARGV[2])`, 1, queue, head, tail)
}

it('answers requests that are too large without fetching them', async () => {
  const server = await redis(['--appendonly', 'no'])
  const client = plain(server)
  const desks = await serve(server.broker.unix, { Echo: { call: ([n]) => n, empty: '' } })
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1])
  const before = await sent()
  await pushHuge(client, 'Echo', 'huge', 64 << 20)
  const refused = await answerOn(client, 'huge')
  expect(refused.Error).toBeNull()
  expect(dataOf(refused)).toBe('')
  expect(refused.Output.Error?.Message).toMatch(/^TOO_LARGE: the request has 671\d+ bytes, more than the 1048576 that are taken/)
  await pushHuge(client, 'Nope', 'huge', 2 << 20)
  expect((await answerOn(client, 'huge')).Error).toMatch(/^TOO_LARGE/)
  await client.eval(`redis.call('RPUSH', KEYS[1], string.rep('x', ${64 << 20}))`, 1, queue)
  await expect.poll(() => client.llen('m.deadletter')).toBe(1)
  expect((await client.lindexBuffer('m.deadletter', 0))?.length).toBe(4_096)
  expect((await sent()) - before).toBeLessThan(1 << 20)
  expect(desks.stats()).toMatchObject({ deadLetters: 1, answered: 2 })
  // At the limit it is taken.
  const { payload, replyTo } = request('Echo', ['x'.repeat((1 << 20) - 200)])
  await client.rpush(queue, payload)
  expect(String(dataOf(await answerOn(client, replyTo))).length).toBe((1 << 20) - 200)
})

it('hands a method undefined for an argument that is none, nested too deep, or out to reach prototypes', async () => {
  const server = await redis()
  const client = plain(server)
  await serve(server.broker.unix, { Kinds: { call: (args) => args.map((arg) => typeof arg) } })
  const deep = (levels: number) => Buffer.concat([Buffer.alloc(levels, 0x91), Buffer.of(0xc0)])
  const raw = [
    Buffer.of(0xc1),
    deep(16),
    deep(17),
    deep(100_000),
    Buffer.from('81a95f5f70726f746f5f5f80', 'hex'),
    Buffer.alloc(0),
  ]
  const { encodeRequest } = await import('../../../lib/zbus/index.ts')
  const object = { name: 'desk', version: '1.0' }
  await client.rpush(queue, Buffer.from(encodeRequest({ id: 'k', inputs: raw, object, replyTo: 'k', method: 'Kinds' })))
  expect(dataOf(await answerOn(client, 'k'))).toEqual(['undefined', 'object', 'undefined', 'undefined', 'undefined', 'undefined'])
})

it('answers what is no whole request where it says to whom, and keeps the newest thousand of the rest', async () => {
  const server = await redis()
  const client = plain(server)
  const desks = await serve(server.broker.unix, { Echo: { call: ([n]) => n } })
  await client.rpush(queue, Buffer.from(encode({ ID: 'a', ReplyTo: 'a', Method: 5 })))
  expect((await answerOn(client, 'a')).Error).toBe('BAD_REQUEST: malformed request: Method has the wrong type')
  await client.rpush(
    queue,
    Buffer.from(encode({ ID: 'b', ReplyTo: 'b', Inputs: [1], Object: { Name: 'desk', Version: '1.0' }, Method: 'Echo' })),
  )
  const known = await answerOn(client, 'b')
  expect([known.Error, known.Output.Error?.Message]).toEqual([null, 'BAD_REQUEST: malformed request: Inputs has the wrong type'])
  const junk = Array.from({ length: 1_100 }, (_, n) => `junk ${n}`)
  await client.rpush(queue, ...junk)
  await expect.poll(() => desks.stats().deadLetters).toBe(1_100)
  await expect.poll(() => client.exists(queue, 'm.taken.one')).toBe(0)
  expect(await client.lrange('m.deadletter', 0, -1)).toEqual(junk.slice(100))
})

it('goes on where an answer cannot be left', async () => {
  const server = await redis()
  const client = plain(server)
  const troubles: (string | undefined)[] = []
  await serve(server.broker.unix, { Echo: { call: ([n]) => n } }, { onTrouble: (reason) => troubles.push(reason) })
  await client.set('text', 'no list')
  const [wrong, right] = [request('Echo', [1], 'wrong', 'text'), request('Echo', [2])]
  await client.rpush(queue, wrong.payload, right.payload)
  expect(dataOf(await answerOn(client, right.replyTo))).toBe(2)
  expect(await client.get('text')).toBe('no list')
  expect(await client.exists('m.taken.one')).toBe(0)
})
