import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { isAlive } from '../lib/process.ts'
import { readRecords } from '../plugins/service/processes/record.ts'

/** Ends the children that a gateway left serving; resolves with their names and pids. `dry`: only says which. */
export const endKeptChildren = async (folder: string, dry: boolean): Promise<readonly string[]> => {
  if (!existsSync(folder)) return []
  const running = (await readRecords(folder)).records.filter(isAlive)
  if (!dry) await Promise.all(running.map(end))
  return running.map(({ name, pid }) => `${name} (pid ${pid})`)
}

const end = async (child: Parameters<typeof isAlive>[0] & { readonly stopSeconds: number }): Promise<void> => {
  const until = performance.now() + child.stopSeconds * 1_000
  process.kill(-child.pid, 'SIGTERM')
  while (isAlive(child) && performance.now() < until) await wait(50)
  if (isAlive(child)) process.kill(-child.pid, 'SIGKILL')
  while (isAlive(child)) await wait(20)
}
