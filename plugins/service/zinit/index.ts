import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { definePlugin, GatewayError, knownOptions, Supervisor } from '../../../core/index.ts'
import { sharedBy } from '../../../lib/supervision/shared.ts'
import { zinitAt } from './client.ts'
import { type Desk, openDesk, type User } from './desk.ts'
import { leftUnits } from './left-running.ts'
import { unitFiles } from './unit-file.ts'

export interface ZinitOptions {
  /** zinit's socket. Default `/var/run/zinit.sock`. */
  readonly socket?: string
  /** The folder of its unit files. Default `/etc/zinit`. */
  readonly folder?: string
  /** How long behind the start a unit that was left running waits for a plugin that asks for it, until it is ended. Default 60. */
  readonly leftoverSeconds?: number
}

/**
 * Has the zinit of a Zero-OS node keep the processes alive, each as a unit of its own: they show in `zinit list`, log where others log,
 * and are started again also while no gateway runs. In the place of `processes()`.
 */
export const zinit = (options: ZinitOptions = {}) => {
  knownOptions('zinit', options, { socket: true, folder: true, leftoverSeconds: true })
  const { socket = usual.socket, folder = usual.folder, leftoverSeconds = 60 } = options
  if (!(Number.isFinite(leftoverSeconds) && leftoverSeconds > 0))
    throw new GatewayError('CONFIG_INVALID', `zinit: leftoverSeconds is ${leftoverSeconds}`, 'give a number above 0')
  return definePlugin({
    name: 'service/zinit',
    kind: 'service',
    options,
    provides: { supervisor: Supervisor },
    leftRunning: (root) => leftUnits({ zinit: zinitAt(socket), files: unitFiles(folder, root), root }),
    async setup({ root, log, health, phase }) {
      const place = { zinit: zinitAt(socket), files: unitFiles(folder, resolve(root)), root: resolve(root) }
      const key = JSON.stringify([socket, folder, place.root])
      const user = { leftoverSeconds, core: { log, health, phase } }
      const desk = await desks.take(key, user, () => openDesk(place, user))
      return { api: { supervisor: desk.supervisor }, close: () => desks.giveBack(key, user) }
    },
  })
}

const usual = { socket: '/var/run/zinit.sock', folder: '/etc/zinit' }

/** Whether this machine is run by zinit, by its socket or, while that is away, by its folder of units. */
export const hasZinit = (): boolean => existsSync(usual.socket) || existsSync(usual.folder)

/** By socket, folder and root. */
const desks = sharedBy<User, Desk>()
