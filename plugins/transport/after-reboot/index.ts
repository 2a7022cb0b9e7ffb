import { readFile } from 'node:fs/promises'
import { definePlugin, GatewayError, knownOptions, reason } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { keeper } from './keep.ts'
import { watch } from './watch.ts'

export interface AfterRebootOptions {
  /** Seconds after the first start on a booted machine in which each workload has to be set again; 3,600 by default. */
  readonly within?: number
  /** Seconds from the report of those that were not to their removal; 3,600 by default. `false`: they stay. */
  readonly thenDrop?: number | false
  /** The file that names the boot. Default `/proc/sys/kernel/random/boot_id`. */
  readonly bootId?: string
}

/**
 * On a node whose owner of workloads sets all that are still wanted again after a reboot (provisiond of Zero-OS): stored workloads are
 * served at once, but until they are set again they are provisional. One whose Set is then refused is removed; those that nobody asked
 * for in time are named in an alarm, and then removed. Put it before the transports by which Sets come.
 */
export const afterReboot = (options: AfterRebootOptions = {}) => {
  knownOptions('afterReboot', options, { within: true, thenDrop: true, bootId: true })
  const { within = 3_600, thenDrop = 3_600, bootId = '/proc/sys/kernel/random/boot_id' } = options
  check(within, thenDrop, bootId)
  return definePlugin({
    name: 'transport/after-reboot',
    kind: 'transport',
    options,
    setup: (core) => {
      let watching: ReturnType<typeof watch> | undefined
      return {
        async listen(gateway) {
          const boot = await readFile(bootId, 'utf8').then(
            (text) => text.trim(),
            (error) => core.log(`no boot can be told from another: ${reason(error)}`),
          )
          if (!boot) return
          const keep = keeper(core.state)
          const state = await keep.begin(boot, within * 1_000, () => [...gateway.routes.all()].map(({ id }) => id))
          if (state.waiting.size === 0) return
          core.log(`${state.waiting.size} workloads are provisional until they are set again`)
          watching = watch({ ...state, core, gateway, keep, thenDrop: thenDrop === false ? undefined : thenDrop * 1_000 })
        },
        close: () => watching?.close(),
      }
    },
  })
}

const check = (within: unknown, thenDrop: unknown, bootId: unknown): void => {
  const seconds = (value: unknown) => typeof value === 'number' && value >= 0.1 && value <= 604_800
  if (!seconds(within)) throw invalid(`within is ${shown(String(within))}`, 'give seconds from 0.1 to 604800')
  if (thenDrop !== false && !seconds(thenDrop))
    throw invalid(`thenDrop is ${shown(String(thenDrop))}`, 'give seconds from 0.1 to 604800, or false')
  if (typeof bootId !== 'string' || bootId === '') throw invalid('bootId is no path', 'give a file, or leave it out')
}
const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `afterReboot: ${what}`, fix)
