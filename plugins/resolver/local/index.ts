import { join } from 'node:path'
import { type Draft, definePlugin, GatewayError, knownOptions, reason } from '../../../core/index.ts'
import { few } from './few.ts'
import { createIssue, type Issue } from './leaf.ts'
import { loadRoot, rootFile } from './root.ts'

export interface LocalCaOptions {
  /** How long a certificate lives: 1 to 397 days, which is what browsers take at most. 90 by default. */
  readonly days?: number
}

/**
 * A certificate authority of the gateway's own, for where no public one fits. Its root is made at the first certificate and kept in
 * `<root>/ca/`: `root.pem` is for clients to trust (`curl --cacert`), `root.key` is the secret. Names of the gateway's domain share
 * one wildcard certificate, every other host has its own.
 */
export const localCa = (options: LocalCaOptions = {}) => {
  knownOptions('localCa', options, { days: true })
  const days = options.days ?? 90
  if (!Number.isInteger(days) || days < 1 || days > 397)
    throw new GatewayError(
      'CONFIG_INVALID',
      `localCa: days is ${days}`,
      'give a whole number from 1 to 397, the most that browsers take',
    )
  return definePlugin({
    name: 'resolver/local',
    kind: 'resolver',
    options,
    setup({ root, health, log, keep }) {
      const folder = join(root, 'ca')
      for (const name of ['root.pem', 'root.key']) keep(join(folder, name))
      let loading: Promise<Issue> | undefined
      const ready = () => health('ok', undefined, { root: rootFile(folder) })
      const authority = async (): Promise<Issue> => {
        const mine = loading ?? loadRoot(folder, log).then(createIssue)
        loading = mine
        try {
          const issue = await mine
          ready()
          return issue
        } catch (error) {
          // Tried again by the next certificate: an operator may have mended it.
          if (loading === mine) loading = undefined
          health('down', reason(error), { root: rootFile(folder) })
          throw error
        }
      }
      const inTurn = few(2)
      ready()
      return {
        pace: 'instant' as const,
        plan: (draft: Draft) =>
          draft.passthrough ? undefined : { mode: 'terminate' as const, resolver: 'local', names: namesFor(draft) },
        async obtain(names: readonly string[], signal: AbortSignal) {
          const leaf = await inTurn(async () => {
            signal.throwIfAborted()
            const issue = await authority()
            return issue(names, days)
          })
          signal.throwIfAborted()
          return { id: `local ${names.join(' ')}`, resolver: 'local', names, ...leaf }
        },
      }
    },
  })
}

const namesFor = ({ host, zone }: Draft): readonly string[] => (zone === undefined ? [host] : [`*.${zone}`, zone])
