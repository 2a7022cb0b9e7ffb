import {
  type Certificate,
  type Change,
  createGateway,
  type Draft,
  definePlugin,
  type GatewayConfig,
  type Hooks,
  type Op,
  type Plugin,
  parseOperation,
  type Route,
  type RunningGateway,
  type WorkloadId,
} from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { tempRoot } from '../kit/index.ts'

/** An engine that serves nobody: it keeps the table that a real one would, and can be told to refuse or to wait. */
export const tableEngine = (name = 'table') => {
  const served = new Map<WorkloadId, Route>()
  /** Every change that it was given, in order; of each turn of the event loop how many came in it. */
  const changes: Change[] = []
  const turns: number[] = []
  let turn = false
  const count = () => {
    if (!turn) {
      turns.push(0)
      turn = true
      setImmediate(() => {
        turn = false
      })
    }
    turns.push((turns.pop() ?? 0) + 1)
  }
  const state = {
    served,
    changes,
    turns,
    /** Changes that it was given and has not taken or refused yet. */
    underWay: 0,
    certificates: [] as readonly Certificate[],
    refuse: (_: Change): Error | undefined => undefined,
    before: async (_: Change): Promise<void> => undefined,
    install: async (): Promise<void> => undefined,
    closed: false,
  }
  const plugin: Plugin = definePlugin({
    name: `engine/${name}`,
    kind: 'engine',
    setup: ({ emit }): Hooks['engine'] & { close(): void } => ({
      restore(routes) {
        served.clear()
        for (const route of routes) served.set(route.id, route)
      },
      async apply(change) {
        changes.push(change)
        count()
        state.underWay++
        await state.before(change).finally(() => state.underWay--)
        const error = state.refuse(change)
        if (error) throw error
        if ('put' in change) {
          served.set(change.put.id, change.put)
          emit({ type: 'live', id: change.put.id })
        } else served.delete(change.remove.id)
      },
      issues: () => false,
      async install(certificates) {
        await state.install()
        state.certificates = certificates
      },
      close() {
        state.closed = true
      },
    }),
  })
  return { plugin, state }
}

/** Takes any domain, asks nobody. */
export const anyHost = (): Plugin =>
  definePlugin({
    name: 'workload/any-host',
    kind: 'workload',
    setup: () => ({
      resolve: {
        'set-fqdn': (op: Op<'set-fqdn'>): Draft => ({
          id: op.id,
          host: op.fqdn,
          tenant: op.id,
          backends: op.backends,
          passthrough: op.passthrough,
          ...(op.network && { network: op.network }),
        }),
      },
    }),
  })

/** Says that TLS ends here, by a certificate that it never gets. */
export const anyTls = (label = 'none'): Plugin =>
  definePlugin({
    name: `resolver/${label}`,
    kind: 'resolver',
    setup: () => ({
      plan: (draft) =>
        draft.passthrough ? { mode: 'passthrough' } : { mode: 'terminate', resolver: label, names: [draft.host] },
    }),
  })

export const set = (id: string, fqdn: string, ...backends: string[]) =>
  parseOperation({ do: 'set-fqdn', id, fqdn, backends: backends.length ? backends : ['http://10.0.0.1:80'] }) as Op<'set-fqdn'>
export const remove = (id: string) => parseOperation({ do: 'delete', id })

/** A running gateway on a folder of its own, closed and removed at the end of the test. */
export const start = async (
  plugins: GatewayConfig['plugins'],
  options: { root?: string; source?: () => Promise<unknown> } = {},
): Promise<RunningGateway> =>
  createGateway({ plugins }, { root: options.root ?? tempRoot().path, ...(options.source && { source: options.source }) })

export const basics = (...more: Plugin[]) => [memory(), anyHost(), anyTls(), ...more]
