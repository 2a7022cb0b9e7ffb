import type { GatewayConfig } from './config.ts'
import { addable, inheritedMark } from './inherit.ts'
import { withStore } from './offline.ts'
import type { Draft, Route } from './operation.ts'

/**
 * Adds workloads to the store of a gateway that does not run, unchecked; they are served from its next start on. Resolves with those that
 * were added and those that were not, with why. Rejects as the store does, such as where a gateway has it open.
 */
export const importDrafts = (config: GatewayConfig, root: string, drafts: readonly Draft[]) =>
  withStore(config, root, async (store) => {
    const added = addable((await store.load()).routes, drafts)
    if (added.routes.length > 0) await store.commit(added.routes.map((put) => ({ put })))
    return added
  })

/**
 * Hands the workloads of a gateway that does not run to another one, for good: `hand` is given them, and when it is done this store has
 * none, and its next start takes over what the other left, as the first one did. Traffic sums and certificates stay. Resolves with
 * undefined, and hands nothing, where the store has taken nothing over and holds nothing. `dry`: the store stays as it is.
 */
export const handOver = <T>(config: GatewayConfig, root: string, hand: (routes: readonly Route[]) => Promise<T>, dry = false) =>
  withStore(config, root, async (store): Promise<T | undefined> => {
    const { routes, state } = await store.load()
    if (routes.length === 0 && !state.has(inheritedMark)) return undefined
    const done = await hand(routes)
    if (!dry) await store.commit([...routes.map((remove) => ({ remove })), { state: inheritedMark, value: null }])
    return done
  })
