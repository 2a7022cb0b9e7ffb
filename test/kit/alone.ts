import type { Core, Event, Health, Hooks, Kind, OwnEndpoint, Plugin } from '../../core/index.ts'

/** One plugin that runs without a gateway around it: what a plugin of its kind gives, and what it told. */
export interface Alone<K extends Kind> {
  readonly hooks: Hooks[K]
  /** The capabilities that it provides, by the names under which its label lists them. */
  readonly api: Readonly<Record<string, unknown>>
  readonly health: () => { readonly state: Health; readonly reason?: string }
  readonly events: readonly Event[]
  readonly log: readonly string[]
  /** The ports that the plugin declared as the gateway's own. */
  readonly endpoints: () => readonly OwnEndpoint[]
  /** Resolves when the plugin calls `refresh` the next time. */
  refreshed(): Promise<void>
  /** What the plugin is told of the gateway from now on; `ready` until then, and `stopping` from `close` on. */
  become(phase: ReturnType<Core['phase']>): void
  /** Aborts the plugin's signal and closes it. Twice is once. */
  close(): Promise<void>
}

/** Sets one plugin up in `root`, which is enough for a plugin that asks the core for no routes, state or sockets. `given` is what it needs. */
export const setUpAlone = async <K extends Kind>(plugin: Plugin<K>, root: string, given: object = {}): Promise<Alone<K>> => {
  const stop = new AbortController()
  const events: Event[] = []
  const log: string[] = []
  const waiting: (() => void)[] = []
  let phase: ReturnType<Core['phase']> = 'ready'
  let endpoints: readonly OwnEndpoint[] = []
  let health: ReturnType<Alone<K>['health']> = { state: 'ok' }
  const none = (what: string) => () => {
    throw new Error(`${plugin.name} asks for ${what}: set it up in a gateway`)
  }
  const core: Core = {
    root,
    signal: stop.signal,
    phase: () => phase,
    log: (message) => void log.push(message),
    emit: (event) => void events.push(event),
    health: (state, reason) => {
      health = reason === undefined ? { state } : { state, reason }
    },
    keep: () => undefined,
    refresh: () => {
      for (const done of waiting.splice(0)) done()
    },
    routes: { size: 0, get: () => undefined, byHost: () => undefined, count: () => 0, list: () => [], all: () => [] },
    state: { get: () => undefined, set: none('state') },
    ledger: { sums: new Map(), add: none('the ledger'), forget: none('the ledger') },
    listen: none('a socket'),
    endpoints: {
      declare: (declared) => {
        endpoints = declared
      },
      all: () => endpoints,
    },
  }
  const hooks = await plugin.setup({ ...given, ...core })
  let closing: Promise<void> | undefined
  return {
    hooks,
    api: 'api' in hooks ? (hooks.api as Alone<K>['api']) : {},
    health: () => health,
    events,
    log,
    endpoints: () => endpoints,
    refreshed: () => new Promise((done) => waiting.push(done)),
    become: (next) => {
      phase = next
    },
    close: () => {
      phase = 'stopping'
      stop.abort()
      closing ??= Promise.resolve(hooks.close?.())
      return closing
    },
  }
}
