import { resolve } from 'node:path'
import { definePlugin, GatewayError, knownOptions, Supervisor } from '../../../core/index.ts'
import { childrenFolder, leftChildren } from '../../../lib/supervision/child-records.ts'
import { sharedBy } from '../../../lib/supervision/shared.ts'
import { type Desk, openDesk, type Settings, type User } from './desk.ts'

export interface ProcessesOptions {
  /**
   * Seconds. A child that was up is started again at once; the wait before the next try is `first`, which doubles up to `most`. All of it
   * begins anew after `stable` seconds up. Default 1, 60, 10.
   */
  readonly backoff?: { readonly first?: number; readonly most?: number; readonly stable?: number }
  /** A child's log loses its oldest part above this. Default 4 MiB. */
  readonly logBytes?: number
  /** How long behind the start a child that was left running waits for a plugin that asks for it, until it is ended. Default 60. */
  readonly leftoverSeconds?: number
}

/** Keeps child processes as children of the gateway: started, watched, restarted, stopped, or left serving and adopted at the next start. */
export const processes = (options: ProcessesOptions = {}) => {
  knownOptions('processes', options, { backoff: true, logBytes: true, leftoverSeconds: true })
  const settings = settingsOf(options)
  return definePlugin({
    name: 'service/processes',
    kind: 'service',
    options,
    provides: { supervisor: Supervisor },
    leftRunning: leftChildren,
    async setup({ root, log, health, phase }) {
      const folder = childrenFolder(resolve(root))
      const user = { settings, core: { log, health, phase } }
      const desk = await desks.take(folder, user, () => openDesk(folder, user))
      return { api: { supervisor: { run: desk.run } }, close: () => desks.giveBack(folder, user) }
    },
  })
}

/** By folder. */
const desks = sharedBy<User, Desk>()

const settingsOf = ({ backoff = {}, logBytes = 4 * 1024 * 1024, leftoverSeconds = 60 }: ProcessesOptions): Settings => {
  knownOptions('processes: backoff', backoff, { first: true, most: true, stable: true })
  const { first = 1, most = 60, stable = 10 } = backoff
  const numbers = { 'backoff.first': first, 'backoff.most': most, 'backoff.stable': stable, logBytes, leftoverSeconds }
  for (const [key, value] of Object.entries(numbers))
    if (!(Number.isFinite(value) && value > 0))
      throw new GatewayError('CONFIG_INVALID', `processes: ${key} is ${value}`, `give ${key} as a number above 0`)
  return { backoff: { first, most, stable }, logBytes, leftoverSeconds }
}
