import { existsSync } from 'node:fs'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from './redis.ts'

it('keeps its data and its addresses over a restart and a kill', async () => {
  const redis = await startRedis()
  onTestFinished(redis.close)
  const client = new Redis({ path: redis.path, protocol: 2 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  await client.set('a', '1')
  await redis.restart()
  expect(await client.get('a')).toBe('1')
  const before = redis.pid
  await redis.restart('SIGKILL')
  expect(redis.pid).not.toBe(before)
  expect(await client.exists('a')).toBe(1)
})

it('takes its folder away and says what to install where the program is missing', async () => {
  const redis = await startRedis()
  await redis.close()
  expect(existsSync(redis.root)).toBe(false)
  await expect(startRedis({ program: 'no-such-redis' })).rejects.toThrow('apt-get install redis-server')
})
