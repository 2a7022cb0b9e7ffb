import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { GatewayError, reason } from '../core/errors.ts'
import { findConfig } from './load-config.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'Writes the config that runs where there is none, with a comment on every line, to be changed.\n' +
    'It is gateway.config.ts where the package of the folder is a module, else gateway.config.mts.',
  args: {
    folder: {
      type: 'positional',
      required: false,
      description: 'Where to write it (default: this folder); made where it is not there',
    },
    preset: {
      type: 'enum',
      options: ['local', 'zos'],
      default: 'local',
      valueHint: 'local|zos',
      description: 'Which set of plugins to write (default: local; zos: a Zero-OS node)',
    },
    json: { type: 'boolean', description: 'Print JSON' },
  },
  examples: ['gateway init', 'gateway init /etc/zos-gateway', 'gateway init --preset zos /etc/zos-gateway'],
  run: ({ folder = '.', json, preset }) => {
    const file = init(resolve(folder), preset)
    process.stdout.write(json ? `${JSON.stringify({ file })}\n` : `wrote ${file}\nRun it: gateway --config ${file}\n`)
  },
})

/** Each preset spelled out, with a comment on every line. */
const shippedAs: Readonly<Record<string, string>> = { local: 'gateway.config.ts', zos: 'etc/zos/gateway.config.ts' }

/** Writes the shipped config into the folder, which is made where it is not there, and returns its path. Throws BAD_REQUEST where one is there already. */
export const init = (folder: string, preset = 'local'): string => {
  const taken = findConfig(undefined, folder)
  if (taken) throw new GatewayError('BAD_REQUEST', `${taken} is there already`, 'change that one, or move it away first')
  const file = join(folder, isModule(folder) ? 'gateway.config.ts' : 'gateway.config.mts')
  const shipped = join(dirname(createRequire(import.meta.url).resolve('zos-gateway/package.json')), shippedAs[preset] ?? '')
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, readFileSync(shipped), { flag: 'wx' })
  } catch (cause) {
    throw new GatewayError('ROOT_UNUSABLE', `cannot write ${file}: ${reason(cause)}`, 'choose a folder that you may write to', {
      cause,
    })
  }
  return file
}

/** Whether Node takes a .ts file here for a module: as the nearest package.json says. */
const isModule = (folder: string): boolean => {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return dirname(folder) !== folder && isModule(dirname(folder))
  const read: { readonly type?: unknown } = createRequire(import.meta.url)(path)
  return read.type === 'module'
}
