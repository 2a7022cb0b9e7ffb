import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import type { Supervisor } from '../../../../core/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { setUpAlone, tempRoot } from '../../../kit/index.ts'
import { ownRoot, sleeper } from './parts.ts'

it('waits for a network namespace that is not there yet, runs in it as itself, and is started anew where that was made anew', async () => {
  const root = tempRoot('netns')
  onTestFinished(root.remove)
  const script = fileURLToPath(new URL('./netns.ts', import.meta.url))
  const inside = 'mount -t tmpfs none /run && exec "$1" --conditions=source "$2" "$0"'
  const args = ['--map-root-user', '--mount', '--net', 'sh', '-c', inside, root.path, process.execPath, script]
  const { stdout } = await promisify(execFile)('unshare', args, { timeout: 200_000 })
  const { without, first, second, ends } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  expect(without).toMatchObject({
    state: 'backoff',
    lastError: expect.stringContaining("the network namespace 'tenant' is not there"),
  })
  expect([first.inside, second.inside]).toEqual([true, true])
  expect(second.pid).not.toBe(first.pid)
  expect(ends.at(-1)).toBe("the network namespace 'tenant' was made anew")
})

it.runIf(process.getuid?.() === 0)('runs as the user that it names, with none of the groups of root', async () => {
  const root = ownRoot()
  const alone = await setUpAlone(processes(), root)
  const run = (alone.api.supervisor as Supervisor).run
  const one = await run(sleeper('nobody', { user: 'nobody' }))
  const status = readFileSync(`/proc/${one.status().pid}/status`, 'utf8')
  const [uid, gid] = ['-u', '-g'].map((flag) => execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }).trim())
  expect(status).toContain(`Uid:\t${uid}\t${uid}\t${uid}\t${uid}`)
  expect(status).toContain(`Gid:\t${gid}\t${gid}\t${gid}\t${gid}`)
  expect(status).toMatch(/Groups:\s*\n/)
  await expect(run(sleeper('stranger', { user: 'no-such-user' }))).rejects.toMatchObject({ code: 'PROCESS_FAILED' })
  await alone.close()
})
