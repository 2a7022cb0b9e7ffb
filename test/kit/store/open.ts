import type { Core, Event, Hooks, Plugin } from '../../../core/index.ts'

export type OpenStore = Hooks['store'] & { readonly events: readonly Event[]; close(): Promise<void> }

/** Sets a store up by itself, with as much of a core as a store may use. */
export const openStore = async (plugin: Plugin<'store'>, root: string): Promise<OpenStore> => {
  const events: Event[] = []
  const stop = new AbortController()
  const core: Core = {
    root,
    log: () => undefined,
    signal: stop.signal,
    emit: (event) => events.push(event),
    health: () => undefined,
    routes: { size: 0, get: () => undefined, byHost: () => undefined, count: () => 0, list: () => [], all: () => [] },
    state: { get: () => undefined, set: () => unused('state') },
    ledger: { sums: new Map(), add: () => unused('ledger'), forget: () => unused('ledger') },
    refresh: () => undefined,
    keep: () => undefined,
    phase: () => 'ready',
    listen: () => unused('listen'),
    endpoints: { declare: () => undefined, all: () => [] },
  }
  const store = await plugin.setup({ ...core })
  return {
    events,
    load: () => store.load(),
    commit: (writes) => store.commit(writes),
    close: async () => {
      stop.abort()
      await store.close?.()
    },
  }
}

const unused = (what: string) => Promise.reject(new Error(`a store has no use for ${what}`))
