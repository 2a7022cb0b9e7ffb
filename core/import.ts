import { boot, closeAll, inOrder, ofKind } from './boot.ts'
import { checkConfig, type GatewayConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import { addable } from './inherit.ts'
import { ledger } from './ledger.ts'
import type { Draft } from './operation.ts'
import { openRoot } from './root.ts'
import { services } from './services.ts'
import { table } from './table.ts'

/**
 * Adds workloads to the store of a gateway that does not run, unchecked; they are served from its next start on. Resolves with those that
 * were added and those that were not, with why. Rejects as the store does, such as where a gateway has it open.
 */
export const importDrafts = async (config: GatewayConfig, root: string, drafts: readonly Draft[]) => {
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
    listen: () => Promise.reject(new Error('nothing listens while workloads are imported')),
    emit: () => undefined,
    commit: async () => undefined,
    ledger: ledger(async () => undefined),
    refresh: () => undefined,
  })
  const set = await boot(upToStore, [], core, checked.startTimeout)
  try {
    const store = ofKind(set, 'store')[0]?.hooks
    if (!store) throw new GatewayError('STORAGE', 'the config has no store plugin', 'add level() to the plugins')
    const added = addable((await store.load()).routes, drafts)
    if (added.routes.length > 0) await store.commit(added.routes.map((put) => ({ put })))
    return added
  } finally {
    await closeAll(set)
  }
}
