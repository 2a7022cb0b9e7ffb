import { existsSync, writeFileSync } from 'node:fs'
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
