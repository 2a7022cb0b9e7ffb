import { patience } from '../lib/patience.ts'
import { type Checked, capabilitiesOf } from './config.ts'
import { GatewayError, reason } from './errors.ts'
import type { Health } from './event.ts'
import type { Core, Hooks, Kind, Plugin } from './plugin.ts'

/** A plugin that was set up. */
export interface Running<K extends Kind = Kind> {
  readonly plugin: Plugin
  readonly hooks: Hooks[K]
  readonly api: Readonly<Record<string, unknown>>
  readonly health: { state: Health; reason?: string; facts?: Readonly<Record<string, string | number>> }
  close(): Promise<void>
}
export const isOf = <K extends Kind>(running: Running, kind: K): running is Running<K> => running.plugin.kind === kind
export const ofKind = <K extends Kind>(set: readonly Running[], kind: K): readonly Running<K>[] =>
  set.flatMap((running) => (isOf(running, kind) ? [running] : []))

/** The services of the core for one plugin; `stop` aborts its signal. */
export type CoreFor = (plugin: Plugin, health: Running['health'], signal: AbortSignal) => Core

/** Seconds that a plugin has to close. */
const closeLimit = 40

/** The list so that every plugin stands behind what it needs, else as given; the store first, since it holds the state of the others. */
export const inOrder = (plugins: readonly Plugin[]): readonly Plugin[] => {
  const providers = new Map(plugins.flatMap((plugin) => capabilitiesOf(plugin.provides).map(({ id }) => [id, plugin])))
  const ordered = new Set<Plugin>()
  const visit = (plugin: Plugin, trail: readonly Plugin[]): void => {
    if (ordered.has(plugin)) return
    if (trail.includes(plugin)) {
      const circle = [...trail.slice(trail.indexOf(plugin)), plugin].map(({ name }) => `'${name}'`).join(' needs ')
      throw new GatewayError('CONFIG_INVALID', `plugins need each other in a circle: ${circle}`, 'one of them has to do without')
    }
    for (const { id } of capabilitiesOf(plugin.needs)) {
      const provider = providers.get(id)
      if (provider) visit(provider, [...trail, plugin])
    }
    ordered.add(plugin)
  }
  for (const plugin of plugins) if (plugin.kind === 'store') visit(plugin, [])
  for (const plugin of plugins) visit(plugin, [])
  return [...ordered]
}

/** Sets the plugins up in this order, on top of `standing`. When one fails, those before it are closed in reverse and its error is thrown. */
export const boot = async (
  plugins: readonly Plugin[],
  standing: readonly Running[],
  coreFor: CoreFor,
  startTimeout: Checked['startTimeout'],
): Promise<readonly Running[]> => {
  const started: Running[] = []
  try {
    for (const plugin of plugins) started.push(await setUp(plugin, [...standing, ...started], coreFor, startTimeout))
    return started
  } catch (error) {
    await closeAll(started)
    throw error
  }
}

/** In reverse; a plugin that fails to close or takes too long does not keep the others. Returns what failed. */
export const closeAll = async (set: readonly Running[]): Promise<readonly Error[]> => {
  const failed: Error[] = []
  for (const running of set.toReversed())
    await limited(running.close(), closeLimit, 'close').catch((error) => failed.push(named(running.plugin, error)))
  return failed
}

/** Lets the engines of a set finish what they serve, while what counts it still runs. Returns what failed. */
export const drainEngines = async (set: readonly Running[]): Promise<readonly Error[]> => {
  const failed: Error[] = []
  for (const { plugin, hooks } of ofKind(set, 'engine'))
    await Promise.resolve()
      .then(() => hooks.drain?.())
      .catch((error) => failed.push(named(plugin, error)))
  return failed
}

const setUp = async (plugin: Plugin, standing: readonly Running[], coreFor: CoreFor, startTimeout: number): Promise<Running> => {
  const stop = new AbortController()
  const health: Running['health'] = { state: 'ok' }
  const given: Record<string, unknown> = {}
  for (const [key, { id }] of Object.entries<{ id: string }>(plugin.needs ?? {})) given[key] = provided(standing, id)
  // In a then, so that a throw is a rejection like any other.
  const setup = Promise.resolve().then(() => plugin.setup({ ...given, ...coreFor(plugin, health, stop.signal) }))
  try {
    const hooks = await limited(setup, startTimeout, 'setup')
    checkHooks(plugin, hooks)
    const close = once(async () => {
      stop.abort()
      await hooks.close?.()
    })
    return { plugin, hooks, api: hooks.api ?? {}, health, close }
  } catch (error) {
    stop.abort()
    setup.then((late) => late?.close?.()).catch(() => undefined)
    throw named(plugin, error)
  }
}

/** What a running plugin provides under this capability's id. */
export const provided = (standing: readonly Running[], id: string): unknown => {
  for (const { plugin, api } of standing)
    for (const [key, capability] of Object.entries<{ id: string }>(plugin.provides ?? {}))
      if (capability.id === id) return api[key]
  return undefined
}

const hooksOf: { readonly [K in Kind]: readonly (keyof Hooks[K])[] } = {
  workload: ['resolve'],
  policy: ['check'],
  reach: ['reach', 'release'],
  resolver: ['plan'],
  engine: ['restore', 'apply', 'issues', 'install'],
  store: ['load', 'commit'],
  metrics: ['observe', 'report'],
  transport: ['listen'],
  'dns-provider': [],
  service: [],
}
const checkHooks = (plugin: Plugin, hooks: object | undefined): void => {
  const missing = hooksOf[plugin.kind].find((hook) => !hooks || !(hook in hooks))
  if (missing) throw new Error(`its setup returned no '${missing}'`)
  const api = hooks && 'api' in hooks ? hooks.api : undefined
  const absent = Object.keys(plugin.provides ?? {}).find((key) => typeof api !== 'object' || api === null || !(key in api))
  if (absent) throw new Error(`its setup returned no api '${absent}', which it says it provides`)
}

/** The error with the plugin's name before it; its code stays. */
const named = (plugin: Plugin, error: unknown): GatewayError =>
  error instanceof GatewayError
    ? new GatewayError(error.code, `plugin '${plugin.name}': ${error.message}`, error.fix, { cause: error })
    : new GatewayError(
        'PLUGIN_FAILED',
        `plugin '${plugin.name}': ${reason(error)}`,
        'see the cause in the log, or take the plugin out of the config',
        {
          cause: error,
        },
      )

const limited = async <T>(work: Promise<T>, seconds: number, what: string): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const over = patience(seconds * 1000, () => late.reject(new Error(`${what} did not end within ${seconds} s`)))
  try {
    return await Promise.race([work, late.promise])
  } finally {
    over()
  }
}

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | undefined
  return () => {
    running ??= work()
    return running
  }
}
