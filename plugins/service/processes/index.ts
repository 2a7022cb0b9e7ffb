import { join } from 'node:path'
import { definePlugin, GatewayError, Supervisor } from '../../../core/index.ts'
import { type Desk, openDesk, type Settings } from './desk.ts'

export interface ProcessesOptions {
  /** Seconds: the wait before the first restart, which doubles up to `most`, and begins anew after `stable` seconds up. Default 1, 60, 60. */
  readonly backoff?: { readonly first?: number; readonly most?: number; readonly stable?: number }
  /** A child's log loses its oldest part above this. Default 4 MiB. */
  readonly logBytes?: number
  /** How long a child that was left running waits for a plugin that asks for it. Default 300. */
  readonly leftoverSeconds?: number
}

/** Keeps child processes as children of the gateway: started, watched, restarted, stopped, or left serving and adopted at the next start. */
export const processes = (options: ProcessesOptions = {}) => {
  const settings = settingsOf(options)
  return definePlugin({
    name: 'service/processes',
    kind: 'service',
    options,
    provides: { supervisor: Supervisor },
    async setup({ root, log, health }) {
      const folder = join(root, 'run')
      const desk = await take(folder, settings, { log, health })
      return { api: { supervisor: { run: desk.run } }, close: () => giveBack(folder) }
    },
  })
}

/** By folder: a reload with other options has two of this plugin at once, and the children are the same. */
const desks = new Map<string, { readonly desk: Promise<Desk>; users: number }>()

const take = (folder: string, ...rest: [Settings, Parameters<typeof openDesk>[2]]): Promise<Desk> => {
  const entry = desks.get(folder) ?? { desk: openDesk(folder, ...rest), users: 0 }
  entry.users++
  desks.set(folder, entry)
  entry.desk.catch(() => desks.delete(folder))
  return entry.desk
}
const giveBack = async (folder: string): Promise<void> => {
  const entry = desks.get(folder)
  if (!entry || --entry.users > 0) return
  desks.delete(folder)
  await (await entry.desk).close()
}

const settingsOf = ({ backoff = {}, logBytes = 4 * 1024 * 1024, leftoverSeconds = 300 }: ProcessesOptions): Settings => {
  const { first = 1, most = 60, stable = 60 } = backoff
  const numbers = { 'backoff.first': first, 'backoff.most': most, 'backoff.stable': stable, logBytes, leftoverSeconds }
  for (const [key, value] of Object.entries(numbers))
    if (!(Number.isFinite(value) && value > 0))
      throw new GatewayError('CONFIG_INVALID', `processes: ${key} is ${value}`, `give ${key} as a number above 0`)
  return { backoff: { first, most, stable }, logBytes, leftoverSeconds }
}
