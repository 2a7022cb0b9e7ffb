import { GatewayError } from './errors.ts'
import type { Kind, Plugin } from './plugin.ts'

/** What the command line says. A config that is a function is given these. */
export interface Flags {
  readonly root?: string | undefined
  /** `unix:///path` or `tcp://[password@]host:port`. */
  readonly broker?: string | undefined
  /** Where the broker's password stands, if not in `broker`. */
  readonly brokerPassword?: { readonly file: string } | { readonly env: string } | undefined
  readonly workers?: number | undefined
  /** Network namespace of what faces the public, `none` for the gateway's own. */
  readonly netns?: string | undefined
  /** What keeps the processes of a node's preset alive. */
  readonly supervisor?: 'zinit' | 'processes' | undefined
  /** Ports of plain HTTP, of HTTPS and of the HTTP API. */
  readonly http?: number | undefined
  readonly https?: number | undefined
  readonly api?: number | undefined
}
export interface GatewayConfig {
  /** The folder of the gateway's state; `--root` goes before it. */
  readonly root?: string
  /** In the order in which they are asked; falsy entries are left out. */
  readonly plugins: readonly (Plugin | false | null | undefined | '')[]
  /** Seconds that the setup of one plugin may take. Default 30. */
  readonly startTimeout?: number
}
export type ConfigSource = GatewayConfig | ((flags: Flags) => GatewayConfig | Promise<GatewayConfig>)

/** Types a config file: `export default defineGateway({ plugins: [...] })`, or a function of the command line's flags. */
export const defineGateway = <C extends ConfigSource>(config: C): C => config

/** A config that was checked: what can be said against it without running a plugin was said. */
export interface Checked {
  readonly root: string | undefined
  readonly plugins: readonly Plugin[]
  readonly startTimeout: number
}

const kinds: Readonly<Record<Kind, 'one' | 'many'>> = {
  workload: 'many',
  policy: 'many',
  reach: 'one',
  resolver: 'many',
  engine: 'one',
  store: 'one',
  metrics: 'one',
  transport: 'many',
  'dns-provider': 'many',
  service: 'many',
}

/** Throws CONFIG_INVALID or PLUGIN_MISSING, naming the plugin's place in the list. */
export const checkConfig = (value: unknown): Checked => {
  if (!isRecord(value))
    throw invalid(`the config is ${say(value)}, not an object`, 'export default defineGateway({ plugins: [...] })')
  const unknown = Object.keys(value).find((key) => !['root', 'plugins', 'startTimeout'].includes(key))
  if (unknown) throw invalid(`the config has an unknown key '${unknown}'`, 'known are root, plugins and startTimeout')
  const { root, plugins, startTimeout = 30 } = value
  if (root !== undefined && (typeof root !== 'string' || root === ''))
    throw invalid(`root is ${say(root)}, not a path`, 'give it as a string')
  if (typeof startTimeout !== 'number' || !(startTimeout > 0) || startTimeout > 3600)
    throw invalid(`startTimeout is ${say(startTimeout)}`, 'give seconds above 0, at most 3600')
  if (!Array.isArray(plugins)) throw invalid(`plugins is ${say(plugins)}, not a list`, 'plugins: [embedded(), level(), ...]')
  const list = plugins.flatMap((entry: unknown, index) => (entry ? [checkPlugin(entry, index)] : []))
  checkTogether(list)
  return { root, plugins: list, startTimeout }
}

const checkPlugin = (entry: unknown, index: number): Plugin => {
  const at = `plugins[${index}]`
  if (typeof entry === 'function') throw invalid(`${at} is a function`, `call it: ${entry.name || 'thePlugin'}()`)
  if (entry instanceof Promise) throw invalid(`${at} is a promise`, 'await it in the config')
  if (!isPlugin(entry))
    throw invalid(`${at} is ${say(entry)}, not a plugin`, 'put in what a plugin factory returns, made by definePlugin')
  if (!Object.hasOwn(kinds, entry.kind))
    throw invalid(`${at} '${entry.name}' is of the unknown kind '${entry.kind}'`, `kinds are ${Object.keys(kinds).join(', ')}`)
  if (!entry.name.startsWith(`${entry.kind}/`))
    throw invalid(`${at} '${entry.name}' is of kind '${entry.kind}'`, `name it '${entry.kind}/...'`)
  return entry
}

const checkTogether = (plugins: readonly Plugin[]): void => {
  const seen = new Map<string, Plugin>()
  const providers = new Map<string, string>()
  for (const plugin of plugins) {
    if (seen.has(plugin.name))
      throw invalid(`plugin '${plugin.name}' is in the list twice`, 'keep one, or give the second another name by its option')
    seen.set(plugin.name, plugin)
    const rival = plugins.find((other) => other.kind === plugin.kind && other !== plugin)
    if (rival && kinds[plugin.kind] === 'one')
      throw invalid(
        `'${plugin.name}' and '${rival.name}' are both of kind '${plugin.kind}'`,
        'at most one of this kind: delete the other line',
      )
    for (const { id } of capabilitiesOf(plugin.provides)) {
      const first = providers.get(id)
      if (first) throw invalid(`'${first}' and '${plugin.name}' both provide '${id}'`, 'delete one of the two lines')
      providers.set(id, plugin.name)
    }
  }
  for (const plugin of plugins)
    for (const { id, optional } of capabilitiesOf(plugin.needs))
      if (!optional && !providers.has(id))
        throw new GatewayError(
          'PLUGIN_MISSING',
          `'${plugin.name}' needs '${id}', which no plugin provides`,
          `add a plugin that provides '${id}'`,
        )
}

/** The capabilities of a plugin's `needs` or `provides`, in order. */
export const capabilitiesOf = (record: Plugin['needs']): readonly { readonly id: string; readonly optional?: boolean }[] =>
  Object.values(record ?? {})

const isPlugin = (value: unknown): value is Plugin =>
  isRecord(value) && typeof value.name === 'string' && typeof value.kind === 'string' && typeof value.setup === 'function'
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const invalid = (message: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', message, fix)
const say = (value: unknown): string =>
  value === undefined
    ? 'missing'
    : value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'object'
          ? 'an object'
          : `${typeof value} ${String(value)}`
