import { definePlugin, GatewayError, knownOptions, Neighbours, type Problem } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { chain, claimOf } from './chain.ts'
import { recheck } from './recheck.ts'

export interface NameContractOptions {
  /** Seconds that the chain's gateway has for each of its two answers; 10 by default. */
  readonly timeout?: number
  /** Seconds in which every name that is served is checked once again, spread out; 3,600 by default. `false`: never. */
  readonly recheck?: number | false
}

/**
 * Refuses a name for which the caller's twin holds no name contract on the chain. Names that are served are checked again; one that its
 * twin lost is handed to the node's provisiond, which takes it away. A chain that cannot be asked takes nothing away.
 */
export const nameContract = (options: NameContractOptions = {}) => {
  knownOptions('nameContract', options, { timeout: true, recheck: true })
  const { timeout = 10, recheck: period = 3_600 } = options
  check(timeout, period)
  return definePlugin({
    name: 'policy/name-contract',
    kind: 'policy',
    options,
    needs: { neighbours: Neighbours },
    setup: (core) => {
      const held = chain(core.neighbours, timeout * 1_000)
      const again = period === false ? undefined : recheck(core, held, period * 1_000)
      return {
        async check({ id, host, zone }, signal) {
          const claim = claimOf({ id, host, zone })
          if (!claim) return []
          if (claim.twin === undefined) return [noTwin(id)]
          const against = await held(claim, signal)
          return against === undefined ? [] : [notReserved(claim.name, against)]
        },
        close: () => again?.close(),
      }
    },
  })
}

const noTwin = (id: string): Problem => ({
  code: 'INVALID_ID',
  message: `invalid workload id '${id}': it names no twin`,
  fix: 'where name contracts are checked the id is twin-contract-name',
})
const notReserved = (name: string, against: string): Problem => ({
  code: 'NAME_NOT_RESERVED',
  message: `failed to verify name contract: ${against}`,
  fix: `reserve the name ${name} on the chain with the twin that deploys the workload`,
})

const check = (timeout: unknown, period: unknown): void => {
  if (!(typeof timeout === 'number' && timeout >= 0.1 && timeout <= 20))
    throw invalid(`timeout is ${shown(String(timeout))}`, 'give seconds from 0.1 to 20')
  if (period !== false && !(typeof period === 'number' && period >= 0.1 && period <= 86_400))
    throw invalid(`recheck is ${shown(String(period))}`, 'give seconds from 0.1 to 86400, or false')
}
const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `nameContract: ${what}`, fix)
