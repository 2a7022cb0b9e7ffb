import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import type { Supervisor } from '../../../../core/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { setUpAlone } from '../../../kit/index.ts'
import { ownRoot, sleeper } from './parts.ts'

it('starts one again once what it needs is in order, and not before', async () => {
  const root = ownRoot()
  const alone = await setUpAlone(processes({ backoff: { first: 0.01, most: 0.01 } }), root)
  onTestFinished(() => alone.close())
  const needed = join(root, 'needed')
  const one = await (alone.api.supervisor as Supervisor).run({
    ...sleeper('needy'),
    command: 'sh',
    args: ['-c', `[ -e ${needed} ] && exec sleep 1000; exit 7`],
    probe: async () => existsSync(needed),
    beforeRestart: async () => {
      await wait(500)
      writeFileSync(needed, '')
    },
  })
  await one.ready
  expect(one.status().restarts).toBe(1)
})

it('says why what it needs is not in order, and does not start it meanwhile', async () => {
  const root = ownRoot()
  const alone = await setUpAlone(processes({ backoff: { first: 0.01, most: 0.05 } }), root)
  onTestFinished(() => alone.close())
  const [started, broken] = [join(root, 'started'), join(root, 'broken')]
  const one = await (alone.api.supervisor as Supervisor).run({
    ...sleeper('needy'),
    command: 'sh',
    args: ['-c', `echo >> ${started}; [ -e ${broken} ] && exit 7; exec sleep 1000`],
    probe: async () => existsSync(started),
    beforeRestart: async () => {
      if (existsSync(broken)) throw new Error('its licence is not there')
    },
  })
  await one.ready
  writeFileSync(broken, '')
  process.kill(one.status().pid ?? 0, 'SIGKILL')
  await expect.poll(() => one.status(), { timeout: 30_000 }).toMatchObject({ lastError: 'its licence is not there' })
  await expect.poll(() => one.status().restarts, { timeout: 30_000 }).toBeGreaterThan(3)
  expect(readFileSync(started, 'utf8')).toBe('\n')
  rmSync(broken)
  await expect.poll(() => one.status().state, { timeout: 30_000 }).toBe('up')
  await expect.poll(() => readFileSync(started, 'utf8'), { timeout: 30_000 }).toBe('\n\n')
})
