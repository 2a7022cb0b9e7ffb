import {
  type Admission,
  type Asked,
  type Core,
  type Draft,
  definePlugin,
  GatewayError,
  knownOptions,
  type Problem,
  type WorkloadId,
} from '../../../core/index.ts'
import { paces } from './pace.ts'

export interface LimitsOptions {
  /** Workloads that one tenant may have. Default 1,000. */
  readonly routes?: number
  /** Sets and Deletes of one tenant a second; what comes faster waits for its turn, the tenant's own only. Default 100. */
  readonly operations?: number
  /** How many a tenant that was quiet may send at once. Default ten seconds' worth. */
  readonly burst?: number
  /** How many operations of one tenant run at once. Default 32. */
  readonly parallel?: number
  /** Seconds that an operation waits for its turn; one that would wait longer gets LIMIT at once. Default 10, at most 40. */
  readonly wait?: number
}

/** What one tenant may take of the gateway, so that nobody has to wait for another. The tenant: the twin, or the id where it names none. */
export const limits = (options: LimitsOptions = {}) => {
  knownOptions('limits', options, { routes: true, operations: true, burst: true, parallel: true, wait: true })
  const { routes = 1_000, operations = 100, parallel = 32, wait = 10 } = options
  const burst = options.burst ?? Math.max(1, Math.round(operations * 10))
  check('routes', routes, 0, 10_000_000, true)
  check('operations', operations, 0.001, 1_000_000)
  check('burst', burst, 1, 10_000_000, true)
  check('parallel', parallel, 1, 100_000, true)
  check('wait', wait, 0, 40)
  return definePlugin({
    name: 'policy/limits',
    kind: 'policy',
    options,
    setup: (core) => {
      const lines = paces({ operations, burst, parallel, wait })
      const places = claims(core, routes)
      return {
        check: (draft) => places.check(draft),
        admit(asked): Admission {
          const line = lines.admit(asked.tenant)
          places.come(asked)
          return {
            ...line,
            end() {
              places.go(asked)
              line.end()
            },
          }
        },
        close: lines.close,
      }
    },
  })
}

/** Who has how many workloads, with those that are about to be: of many Sets at once no more pass than there are places. */
const claims = ({ routes }: Pick<Core, 'routes'>, most: number) => {
  const running = new Map<WorkloadId, number>()
  /** New workloads whose Set runs. */
  const claimed = new Map<WorkloadId, Draft['tenant']>()
  return {
    come: ({ id }: Asked) => void running.set(id, (running.get(id) ?? 0) + 1),
    go({ id }: Asked) {
      const left = (running.get(id) ?? 1) - 1
      if (left > 0) return void running.set(id, left)
      running.delete(id)
      claimed.delete(id)
    },
    check({ id, tenant }: Draft): readonly Problem[] {
      if (routes.get(id)) return []
      let taken = routes.count(tenant)
      // One that is in the table by now is counted there.
      for (const [other, owner] of claimed) if (owner === tenant && other !== id && !routes.get(other)) taken++
      if (taken >= most) return [full(tenant, most)]
      // A plan claims nothing: nobody tells when it is over.
      if (running.has(id)) claimed.set(id, tenant)
      return []
    },
  }
}

const full = (tenant: string, most: number): Problem => ({
  code: 'LIMIT',
  message: `tenant ${tenant} has ${most} workloads, as many as one may have`,
  fix: 'delete some first; the operator of the gateway can raise limits({ routes })',
})

const check = (name: string, value: unknown, least: number, most: number, whole = false): void => {
  const good = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))
  if (good) return
  throw new GatewayError(
    'CONFIG_INVALID',
    `limits: ${name} is ${String(value)}`,
    `give a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
  )
}
