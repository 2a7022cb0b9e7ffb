import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { monitor } from '../../../lib/zbus/monitor.ts'
import { startRedis } from '../../kit/index.ts'

const patient = { timeout: 60_000 }

/** Listens to a Redis of the test's. */
const listening = async (password?: string) => {
  const redis = await startRedis({ args: password === undefined ? [] : ['--requirepass', password] })
  const client = new Redis({ path: redis.path, protocol: 2, ...(password !== undefined && { password }) })
  client.on('error', () => undefined)
  const stop = new AbortController()
  const heard: (readonly Buffer[])[] = []
  const told: (string | undefined)[] = []
  const broker = password === undefined ? redis.broker.unix : `tcp://${password}@127.0.0.1:${redis.port}`
  const done = monitor({
    broker,
    signal: stop.signal,
    wanted: (name, key) => name === 'rpush' && key === 'ours',
    heard: (command) => heard.push(command),
    listening: (trouble) => told.push(trouble),
  })
  onTestFinished(async () => {
    stop.abort()
    await done
    client.disconnect()
    await redis.close()
  })
  return { redis, client, heard, told }
}

test('hears every byte of what others push, and nothing that was not wanted', async () => {
  const { client, heard, told } = await listening()
  await expect.poll(() => told, patient).toEqual([undefined])
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const payloads = [every, Buffer.from('"\\x41" \\n\r\n'), Buffer.alloc(0), randomBytes(300_000)]
  for (const payload of payloads) await client.rpush('ours', payload)
  await client.rpush('others', every)
  await client.multi().rpush('ours', 'one', 'two').expire('ours', 300).exec()
  await client.eval("redis.call('RPUSH', KEYS[1], 'by a script')", 1, 'ours')
  await expect.poll(() => heard.length, patient).toBe(6)
  expect(heard.map(([name, key]) => `${name} ${key}`)).toEqual(Array(6).fill('rpush ours'))
  for (const [at, payload] of payloads.entries()) expect(heard[at]?.[2]?.equals(payload)).toBe(true)
  expect(heard[4]?.slice(2).map(String)).toEqual(['one', 'two'])
  expect(String(heard[5]?.[2])).toBe('by a script')
})

test('gives its password, and says what Redis has against it', async () => {
  const { client, heard, told } = await listening('secret')
  await expect.poll(() => told, patient).toEqual([undefined])
  await client.rpush('ours', 'one')
  await expect.poll(() => heard.length, patient).toBe(1)
  await client.config('SET', 'requirepass', 'another')
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await expect.poll(() => told.at(-1), patient).toContain('Redis says: ')
})

test('says why it does not hear, and comes back', async () => {
  const { redis, told } = await listening()
  await expect.poll(() => told, patient).toEqual([undefined])
  await redis.stop()
  await expect.poll(() => told.length, patient).toBeGreaterThan(1)
  expect(told[1]).toEqual(expect.any(String))
  await redis.start()
  await expect.poll(() => told.at(-1), patient).toBeUndefined()
})
