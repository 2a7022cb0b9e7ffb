import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'

/** The children that a gateway of this root recorded and that still run, by name. */
export const keptChildren = (root: string): ReadonlyMap<string, number> => {
  const folder = join(root, 'run')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
  return new Map(
    names.flatMap((name): [string, number][] => {
      const { pid } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { pid?: number }
      return pid !== undefined && isRunning(pid) ? [[name.slice(0, -'.json'.length), pid]] : []
    }),
  )
}

/** Ends what a closed gateway of this root left running on purpose. */
export const endKept = async (root: string): Promise<void> => {
  for (const pid of keptChildren(root).values()) {
    process.kill(pid, 'SIGKILL')
    while (isRunning(pid)) await after(5)
  }
}

/** Whether a process is there and no zombie. */
export const isRunning = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
