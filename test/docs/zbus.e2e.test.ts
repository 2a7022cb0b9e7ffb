import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../kit/index.ts'

test('the sample of docs/zbus.md runs', async () => {
  const sample = new URL('zbus-sample.ts', import.meta.url)
  expect(readFileSync(new URL('../../docs/zbus.md', import.meta.url), 'utf8')).toContain(`\n${readFileSync(sample, 'utf8')}\``)
  const redis = await startRedis()
  onTestFinished(redis.close)
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', fileURLToPath(sample)], {
    env: { ...process.env, BROKER: redis.broker.unix },
    timeout: 60_000,
  })
  expect(stdout).toBe('5\n{ n: 1 }\n')
})
