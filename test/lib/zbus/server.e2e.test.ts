import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient, createServer } from '../../../lib/zbus/index.ts'
import { ages, answerOn, dataOf, desk, plain, queue, redis, request, serve } from './parts.ts'

describe.each(ages)('a server on a Redis %s', (_, args) => {
  it('takes what waited before it started, in order, and what came together in order too', async () => {
    const server = await redis(args)
    const client = plain(server)
    const seen: unknown[] = []
    const numbers = Array.from({ length: 300 }, (_, n) => request('See', [n]))
    await client.rpush(queue, ...numbers.slice(0, 100).map(({ payload }) => payload))
    await serve(server.broker.unix, { See: { call: ([n]) => void seen.push(n) } })
    for (const { payload } of numbers.slice(100, 200)) await client.rpush(queue, payload)
    await client.rpush(queue, ...numbers.slice(200).map(({ payload }) => payload))
    for (const { replyTo } of numbers) await answerOn(client, replyTo)
    expect(seen).toEqual(numbers.map((_, n) => n))
    expect(await client.keys('m.*')).toEqual(['m.taken.one.guard'])
  })

  it('goes on after the database was emptied under it', async () => {
    const server = await redis(args)
    const client = plain(server)
    await serve(server.broker.unix, { Echo: { call: ([n]) => n } })
    for (let n = 0; n < 3; n++) {
      const { payload, replyTo } = request('Echo', [n])
      await client.rpush(queue, payload)
      expect(dataOf(await answerOn(client, replyTo))).toBe(n)
      await client.flushall()
    }
  })

  it('answers a call that was running when Redis restarted, once', async () => {
    const server = await redis([...args, '--appendfsync', 'always'])
    const client = plain(server)
    const [entered, open] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    let calls = 0
    const call = () => {
      calls++
      entered.resolve()
      return open.promise
    }
    await serve(server.broker.unix, { Wait: { call } })
    const { payload, replyTo } = request('Wait')
    await client.rpush(queue, payload)
    await entered.promise
    await server.restart('SIGKILL')
    open.resolve('done')
    const late = plain(server)
    expect(dataOf(await answerOn(late, replyTo))).toBe('done')
    expect([await late.llen(replyTo), await late.llen('m.taken.one'), calls]).toEqual([0, 0, 1])
  })

  it('carries every request out and answers it once while its connections are cut again and again', async () => {
    const server = await redis(args)
    const client = plain(server)
    const calls = new Map<unknown, number>()
    await serve(server.broker.unix, {
      Count: {
        call: async ([n]) => {
          calls.set(n, (calls.get(n) ?? 0) + 1)
          await new Promise((done) => setTimeout(done, 2))
          return n
        },
      },
    })
    const requests = Array.from({ length: 400 }, (_, n) => request('Count', [n]))
    const connections = async () =>
      [...String(await client.client('LIST')).matchAll(/^id=(\d+) .* name=zbus:m/gm)].map(([, id]) => id ?? '')
    let cuts = 0
    for (const [n, { payload }] of requests.entries()) {
      await client.rpush(queue, payload)
      if (n % 40 !== 20) continue
      await expect.poll(async () => (await connections()).length, { interval: 5 }).toBe(3)
      for (const id of await connections()) cuts += Number(await client.client('KILL', 'ID', id))
    }
    for (const [n, { replyTo }] of requests.entries()) expect(dataOf(await answerOn(client, replyTo))).toBe(n)
    expect(cuts).toBeGreaterThanOrEqual(20)
    expect([...calls]).toEqual(requests.map((_, n) => [n, 1]))
    await expect.poll(() => client.keys('*')).toEqual(['m.taken.one.guard'])
  })
})

it('serves objects that are registered while it runs, each on a queue of its own', async () => {
  const { broker } = await redis()
  const server = await serve(broker.unix, { Name: { call: () => 'desk' } })
  const client = createClient({ broker: broker.unix })
  onTestFinished(client.close)
  const chair = { name: 'chair', version: '2.0' }
  server.register(chair, { Name: { call: () => 'chair' } })
  expect(await client.call('m', chair, 'Name')).toBe('chair')
  expect(await client.call('m', desk, 'Name')).toBe('desk')
  expect(() => server.register(chair, {})).toThrow('object chair@2.0 is registered already')
  expect(() => server.register({ name: 'zbus', version: '1.0' }, {})).toThrow("zbus's own")
})

it('says what there is not: method, object, and names that every JavaScript object has', async () => {
  const server = await redis()
  const client = plain(server)
  await serve(server.broker.unix, {})
  for (const method of ['Nope', 'constructor', '__proto__', 'toString', '']) {
    const { payload, replyTo } = request(method)
    await client.rpush(queue, payload)
    expect(await answerOn(client, replyTo)).toMatchObject({ Error: 'not a function', Output: { Data: null, Error: null } })
  }
  const calls = createClient({ broker: server.broker.unix })
  onTestFinished(calls.close)
  const { id, payload } = await strayRequest()
  await client.rpush(queue, payload)
  expect((await answerOn(client, id)).Error).toBe('unknown object')
})

it('answers an error that has no message with one, since an empty one reads as success', async () => {
  const server = await redis()
  const client = plain(server)
  const fail = (thrown: unknown) => ({
    call: () => {
      throw thrown
    },
    empty: '',
  })
  await serve(server.broker.unix, { A: fail(new Error('')), B: fail(''), C: fail(undefined), D: { call: () => Symbol('no') } })
  const messages = []
  for (const method of ['A', 'B', 'C', 'D']) {
    const { payload, replyTo } = request(method)
    await client.rpush(queue, payload)
    messages.push((await answerOn(client, replyTo)).Output.Error?.Message)
  }
  expect(messages).toEqual(['Error', 'failed', 'undefined', expect.stringContaining('Symbol')])
})

it('waits for a broker that is not there yet, and says so', async () => {
  const server = await redis()
  await server.stop()
  const troubles: (string | undefined)[] = []
  const told = Promise.withResolvers<void>()
  await serve(
    server.broker.tcp,
    { Echo: { call: ([n]) => n } },
    {
      onTrouble: (reason) => {
        troubles.push(reason)
        told.resolve()
      },
    },
  )
  await told.promise
  expect(troubles[0]).toMatch(/ECONNREFUSED|closed/)
  await server.start()
  const { payload, replyTo } = request('Echo', [1])
  const client = plain(server)
  await client.rpush(queue, payload)
  expect(dataOf(await answerOn(client, replyTo))).toBe(1)
  await expect.poll(() => troubles.at(-1)).toBeUndefined()
})

it('gives the password of the address, and names what is in the way of a queue', async () => {
  const server = await redis(['--requirepass', 's3cret'])
  const client = plain(server, 's3cret')
  await client.set(queue, 'no list')
  const troubles: (string | undefined)[] = []
  await serve(
    `tcp://s3cret@127.0.0.1:${server.port}`,
    { Echo: { call: ([n]) => n } },
    { onTrouble: (reason) => troubles.push(reason) },
  )
  await expect.poll(() => troubles.at(-1)).toContain('WRONGTYPE')
  await client.del(queue)
  const { payload, replyTo } = request('Echo', [1])
  await client.rpush(queue, payload)
  expect(dataOf(await answerOn(client, replyTo))).toBe(1)
  await expect.poll(() => troubles.at(-1)).toBeUndefined()
})

it('counts answers that nobody fetched', async () => {
  const server = await redis()
  const client = plain(server)
  const desks = await serve(server.broker.unix, { Echo: { call: ([n]) => n } })
  const [kept, left] = [request('Echo', [1]), request('Echo', [2])]
  await client.rpush(queue, kept.payload, left.payload)
  await answerOn(client, kept.replyTo)
  await expect.poll(() => desks.stats().unfetched, { timeout: 20_000 }).toBe(1)
  expect(desks.stats().answered).toBe(2)
})

it('lets what runs end when it closes, answers it, and leaves the rest to its next life', async () => {
  const server = await redis()
  const client = plain(server)
  const [entered, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const seen: unknown[] = []
  const call = async ([n]: readonly unknown[]) => {
    seen.push(n)
    entered.resolve()
    await open.promise
    return n
  }
  const first = await createServer({ broker: server.broker.unix, module: 'm', instance: 'one', workers: 1 })
  first.register(desk, { See: { call } })
  const requests = [1, 2, 3].map((n) => request('See', [n]))
  await client.rpush(queue, ...requests.map(({ payload }) => payload))
  first.start()
  await entered.promise
  const closed = first.close()
  open.resolve()
  await closed
  expect(seen).toEqual([1])
  expect(dataOf(await answerOn(client, requests[0]!.replyTo))).toBe(1)
  const second = await serve(server.broker.unix, { See: { call } })
  for (const { replyTo } of requests.slice(1)) await answerOn(client, replyTo)
  expect(seen).toEqual([1, 2, 3])
  expect(second.stats().recovered).toBeLessThanOrEqual(2)
})

it('does not wait for a call that does not end, and carries it out in its next life', async () => {
  const server = await redis()
  const client = plain(server)
  const entered = Promise.withResolvers<void>()
  const first = await createServer({ broker: server.broker.unix, module: 'm', instance: 'one', workers: 1 })
  const call = () => {
    entered.resolve()
    return new Promise(() => undefined)
  }
  first.register(desk, { See: { call } })
  const requests = Array.from({ length: 40 }, (_, n) => request('See', [n]))
  await client.rpush(queue, ...requests.map(({ payload }) => payload))
  first.start()
  await entered.promise
  await first.close(50)
  expect(await client.llen('m.taken.one')).toBe(40)
  await serve(server.broker.unix, { See: { call: ([n]) => n } })
  for (const [n, { replyTo }] of requests.entries()) expect(dataOf(await answerOn(client, replyTo))).toBe(n)
})

const strayRequest = async () => {
  const { encodeRequest } = await import('../../../lib/zbus/index.ts')
  const object = { name: 'other', version: '1.0' }
  return { id: 'stray', payload: Buffer.from(encodeRequest({ id: 'stray', inputs: [], object, replyTo: 'stray', method: 'A' })) }
}
