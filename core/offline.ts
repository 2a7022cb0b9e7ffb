import { boot, closeAll, inOrder, ofKind } from './boot.ts'
import { checkConfig, type GatewayConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import { ledger } from './ledger.ts'
import { ownEndpoints } from './own-endpoints.ts'
import type { Hooks } from './plugin.ts'
import { openRoot } from './root.ts'
import { services } from './services.ts'
import { table } from './table.ts'

/** Works on the store of a gateway that does not run. Rejects as the store does, such as where a gateway has it open. */
export const withStore = async <T>(
  config: GatewayConfig,
  root: string,
  work: (store: Hooks['store']) => Promise<T>,
): Promise<T> => {
  const checked = checkConfig(config)
  await openRoot(root)
  const order = inOrder(checked.plugins)
  const upToStore = order.slice(0, order.findIndex(({ kind }) => kind === 'store') + 1)
  const core = services({
    root,
    log: () => undefined,
    phase: () => 'starting',
    routes: table(),
    state: new Map(),
    listen: () => Promise.reject(new Error('nothing listens while the gateway does not run')),
    emit: () => undefined,
    commit: async () => undefined,
    ledger: ledger(async () => undefined),
    refresh: () => undefined,
    keep: () => undefined,
    endpoints: ownEndpoints(() => []),
  })
  const set = await boot(upToStore, [], core, checked.startTimeout)
  try {
    const store = ofKind(set, 'store')[0]?.hooks
    if (!store) throw new GatewayError('STORAGE', 'the config has no store plugin', 'add level() to the plugins')
    return await work(store)
  } finally {
    await closeAll(set)
  }
}
