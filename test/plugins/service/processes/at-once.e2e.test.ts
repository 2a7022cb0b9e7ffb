import { expect, it, onTestFinished } from 'vitest'
import type { Supervisor } from '../../../../core/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { setUpAlone } from '../../../kit/index.ts'
import { ownRoot, patience, sleeper } from './parts.ts'

it('starts one that was up again at once, and waits only where it ends again before it ran well', async () => {
  const alone = await setUpAlone(processes({ backoff: { first: 600, most: 600, stable: 3_600 } }), ownRoot())
  onTestFinished(() => alone.close())
  const ends: string[] = []
  const one = await (alone.api.supervisor as Supervisor).run(sleeper('killed', { onExit: (why) => ends.push(why) }))
  await one.ready
  const kill = () => process.kill(one.status().pid ?? 0, 'SIGKILL')
  kill()
  // Ten minutes are the wait that it is spared.
  await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts: 1 })
  kill()
  await expect.poll(() => one.status(), patience).toMatchObject({ state: 'backoff', restarts: 1 })
  expect(ends).toHaveLength(2)
})

it('starts at once again where it ran well between two ends', async () => {
  const alone = await setUpAlone(processes({ backoff: { first: 600, most: 600, stable: 0.001 } }), ownRoot())
  onTestFinished(() => alone.close())
  const one = await (alone.api.supervisor as Supervisor).run(sleeper('killed'))
  await one.ready
  for (const restarts of [1, 2, 3]) {
    process.kill(one.status().pid ?? 0, 'SIGKILL')
    await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts })
  }
})
