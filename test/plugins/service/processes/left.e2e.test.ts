import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Service, Supervised, Supervisor } from '../../../../core/index.ts'
import { type ProcessesOptions, processes } from '../../../../plugins/service/processes/index.ts'
import { setUpAlone } from '../../../kit/index.ts'
import { isRunning } from '../../../kit/kept.ts'
import { marked, ownRoot, patience, recordOf, sleeper, stranger } from './parts.ts'

const open = async (root: string, options: ProcessesOptions = {}) => {
  const alone = await setUpAlone(processes({ backoff: { first: 0.1, most: 1 }, ...options }), root)
  // Before its children are ended from outside, which it would start again.
  onTestFinished(() => alone.close())
  const run = (service: Service): Promise<Supervised> => (alone.api.supervisor as Supervisor).run(service)
  return { ...alone, run }
}
/** Leaves a kept sleeper behind, as a gateway that ended does, and returns its pid. */
const leave = async (root: string, service = sleeper('kept', { keep: true })): Promise<number> => {
  const before = await open(root)
  const { pid = 0 } = (await before.run(service)).status()
  await before.close()
  expect(isRunning(pid)).toBe(true)
  return pid
}
const change = (root: string, name: string, changed: object) =>
  writeFileSync(join(root, 'run', `${name}.json`), JSON.stringify({ ...recordOf(root, name), ...changed }))

it('writes down who a child is for this user only, and nothing of its environment', async () => {
  const root = ownRoot()
  const now = await open(root)
  const one = await now.run(sleeper('kept', { keep: true, env: { TOKEN: 'canary' } }))
  const told = { pid: one.status().pid, command: 'sleep', args: ['1000'], keep: true }
  await expect.poll(() => recordOf(root, 'kept'), patience).toMatchObject(told)
  expect(readFileSync(join(root, 'run/kept.json'), 'utf8')).not.toContain('canary')
  for (const file of ['kept.json', 'kept.log']) expect(statSync(join(root, 'run', file)).mode & 0o777).toBe(0o600)
  expect(statSync(join(root, 'run')).mode & 0o777).toBe(0o700)
  await one.stop()
  expect(recordOf(root, 'kept')).toBeUndefined()
  await now.close()
})

it.each([
  ['pid', (other: number) => ({ pid: other })],
  ['pid and start, of before the machine was started', (other: number) => ({ pid: other, ...startOf(other), boot: 'another' })],
])('is not fooled by a process that now has the recorded %s, and does nothing to it', async (_, as) => {
  const root = ownRoot()
  const pid = await leave(root)
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => isRunning(pid), patience).toBe(false)
  const other = await laterStranger(String(recordOf(root, 'kept')?.start))
  change(root, 'kept', as(other.pid))
  const now = await open(root)
  const one = await now.run(sleeper('kept', { keep: true }))
  expect(one.adopted).toBe(false)
  expect(one.status().pid).not.toBe(other.pid)
  await one.stop()
  await now.close()
  expect(isRunning(other.pid)).toBe(true)
})
/** A process of another clock tick than `start`: 10 ms apart, or they are alike to everyone. */
const laterStranger = async (start: string) => {
  await expect.poll(() => startOf(stranger().pid).start, patience).not.toBe(start)
  return stranger()
}
const startOf = (pid: number) => ({ start: readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] })

it.each([
  ['is lost', (file: string) => rmSync(file)],
  ['is cut short', (file: string) => writeFileSync(file, '{"name":"kept","pi')],
  ['holds something else', (file: string) => writeFileSync(file, '{"name":"kept","pid":1,"hash":[]}')],
])('adopts a kept child whose record %s', async (_, damage) => {
  const root = ownRoot()
  const pid = await leave(root)
  damage(join(root, 'run/kept.json'))
  const now = await open(root)
  const one = await now.run(sleeper('kept', { keep: true }))
  expect([one.adopted, one.status().pid]).toEqual([true, pid])
  await expect.poll(() => recordOf(root, 'kept'), patience).toMatchObject({ pid })
  await now.close()
})

it('ends a child that was not to be kept and outlived its gateway, before anything is started', async () => {
  const root = ownRoot()
  const pid = await leave(root)
  change(root, 'kept', { keep: false })
  const now = await open(root)
  expect(isRunning(pid)).toBe(false)
  expect(now.log.join()).toContain('outlived')
  await now.close()
})

it('says which kept child nobody asks for, ends it some time behind the start, and no sooner', async () => {
  const root = ownRoot()
  const pid = await leave(root)
  const asked = await leave(root, sleeper('asked', { keep: true }))
  const now = await open(root, { leftoverSeconds: 0.5 })
  now.become('starting')
  const one = await now.run(sleeper('asked', { keep: true }))
  now.become('ready')
  await expect.poll(() => isRunning(pid), patience).toBe(false)
  expect(now.log.join()).toContain('kept is ended: it was left running and no plugin asks for it')
  expect([isRunning(asked), one.status().pid]).toEqual([true, asked])
  await expect.poll(() => recordOf(root, 'kept'), patience).toBeUndefined()
  await now.close()
})

it('takes the workers of a dead leader away before it starts another', async () => {
  const root = ownRoot()
  const now = await open(root)
  const one = await now.run(sleeper('leader', { command: 'sh', args: ['-c', 'sleep 1000 & sleep 1000 & wait'] }))
  await expect.poll(() => marked(root).length, patience).toBe(3)
  const before = marked(root)
  process.kill(one.status().pid ?? 0, 'SIGKILL')
  await expect.poll(() => one.status().restarts, patience).toBe(1)
  expect(before.filter(isRunning)).toEqual([])
  await now.close()
  expect(marked(root)).toEqual([])
})

it('keeps a log within its size, while the child writes on', async () => {
  const root = ownRoot()
  const now = await open(root, { logBytes: 20_000 })
  const chatter = 'at=0; while :; do at=$((at+1)); echo "line $at of a child that talks a lot"; done'
  await now.run(sleeper('chatter', { command: 'sh', args: ['-c', chatter] }))
  const log = join(root, 'run/chatter.log')
  let last = 0
  let shortened = 0
  await expect
    .poll(() => {
      const { size } = statSync(log)
      if (size < last) shortened++
      last = size
      return shortened
    }, patience)
    .toBeGreaterThan(1)
  await now.close()
})

it('grows the wait from try to try, and says why in status', async () => {
  const root = ownRoot()
  const now = await open(root, { backoff: { first: 0.02, most: 0.1 } })
  const ends: string[] = []
  const service = sleeper('loops', { onExit: (why) => void ends.push(why) })
  const one = await now.run(service)
  for (let kills = 1; kills <= 20; kills++) {
    await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts: kills - 1 })
    process.kill(one.status().pid ?? 0, 'SIGKILL')
    await expect.poll(() => ends.length, patience).toBe(kills)
  }
  await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts: 20, lastError: 'SIGKILL' })
  expect(marked(root)).toEqual([one.status().pid])
  await now.close()
})
