import { existsSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ConfigSource, Flags, GatewayConfig } from '../core/config.ts'
import { GatewayError } from '../core/errors.ts'
import type { Plugin } from '../core/plugin.ts'
import { nearest } from '../lib/nearest.ts'
import { explainLoadError } from './explain-load-error.ts'

export interface LoadedConfig {
  /** Absolute path of the config file; `undefined`: a preset runs. */
  readonly file: string | undefined
  /** As the file gave it, unchecked: `createGateway` checks it. */
  readonly config: GatewayConfig
}

/** What runs without a config file, by the name that `--preset` takes. */
const presets: Readonly<Record<string, () => Promise<(flags: Flags) => readonly Plugin[]>>> = {
  local: async () => (await import('../presets/local.ts')).local,
  zos: async () => (await import('../presets/zos.ts')).zos,
}
const presetNames: readonly string[] = Object.keys(presets)

const names = ['gateway.config.ts', 'gateway.config.mts', 'gateway.config.js', 'gateway.config.mjs']
const deadline = 30_000
let loads = 0

/** The config file that is to be read: the one named, else one of the usual names in `folder`. Throws CONFIG_INVALID where there are two. */
export const findConfig = (named: string | undefined, folder = process.cwd()): string | undefined => {
  if (named !== undefined) {
    const file = resolve(folder, named)
    if (existsSync(file)) return file
    throw new GatewayError(
      'CONFIG_INVALID',
      `the config file ${file} is not there`,
      'give its path with --config, or make one: gateway init',
    )
  }
  const found = names.filter((name) => existsSync(resolve(folder, name)))
  if (found.length > 1) {
    throw new GatewayError('CONFIG_INVALID', `there are ${found.join(' and ')}`, 'keep one, or name it with --config')
  }
  return found[0] && resolve(folder, found[0])
}

/** The config file that is to be read; none where a preset is asked for by name. Throws CONFIG_INVALID, and BAD_REQUEST where both are. */
export const chooseConfig = (named: string | undefined, preset: string | undefined): string | undefined => {
  if (preset === undefined) return findConfig(named)
  if (named !== undefined)
    throw new GatewayError('BAD_REQUEST', `a config file and the preset ${preset} are named`, 'give --config or --preset')
  if (presetNames.includes(preset)) return undefined
  const near = nearest(preset, presetNames)
  throw new GatewayError(
    'BAD_REQUEST',
    `there is no preset ${JSON.stringify(preset)}`,
    near ? `did you mean ${near}?` : `there are ${presetNames.join(' and ')}`,
  )
}

/**
 * Imports the config file, anew at every call, and calls it with the flags where it is a function.
 * Throws CONFIG_INVALID, with the line where it is known.
 */
export const loadConfig = async (file: string | undefined, flags: Flags, preset = 'local'): Promise<LoadedConfig> => {
  const listed = file === undefined ? await presets[preset]?.() : undefined
  if (file === undefined) return { file, config: { plugins: listed?.(flags) ?? [] } }
  const source = await inTime(file, importFresh(file))
  const config = typeof source === 'function' ? await inTime(file, (async () => source(flags))()) : source
  return { file, config }
}

const importFresh = async (file: string): Promise<ConfigSource> => {
  const module: { readonly default?: ConfigSource } = await import(`${pathToFileURL(file)}?load=${++loads}`)
  if (module.default !== undefined) return module.default
  throw new GatewayError('CONFIG_INVALID', `${file} has no default export`, 'export default defineGateway({ plugins: [...] })')
}

/** A config may await; one that never ends, or throws, is told apart from a gateway that does. */
const inTime = async <T>(file: string, loading: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new GatewayError('CONFIG_INVALID', `${file} did not end within ${deadline / 1000} s`, 'find what it awaits'))
  }, deadline)
  try {
    return await Promise.race([loading, late.promise])
  } catch (thrown) {
    throw explainLoadError(thrown, file)
  } finally {
    clearTimeout(timer)
  }
}

const self = new URL('../', import.meta.url).href

// What a config imports from files of its own is loaded anew with it; the gateway itself stays one.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    if (resolved.url.startsWith(self) && !isFresh(resolved.url)) return resolved
    if (isFresh(resolved.url)) return { ...resolved, ...esModule(resolved) }
    const load = context.parentURL && new URL(context.parentURL).searchParams.get('load')
    if (!load || !specifier.startsWith('.')) return resolved
    return { ...resolved, url: `${resolved.url}?load=${load}`, ...esModule(resolved) }
  },
})

const isFresh = (url: string): boolean => url.includes('?load=')

/** `npm init` writes `"type": "commonjs"`, which makes CommonJS of a config that says `import` and `export`. */
const esModule = ({ url, format }: { readonly url: string; readonly format?: string | null | undefined }) => {
  if (format !== 'commonjs' && format !== 'commonjs-typescript') return undefined
  const source = readFileSync(fileURLToPath(url), 'utf8')
  return /^\s*(?:import|export)\b/m.test(source) ? { format: format.replace('commonjs', 'module') } : undefined
}
