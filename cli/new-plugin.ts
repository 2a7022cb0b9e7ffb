import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { GatewayError, reason } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { isRecord } from '../lib/acme/problem.ts'
import { nearest } from '../lib/nearest.ts'
import { papersOf } from './new-plugin-papers.ts'
import { print, printJson } from './output.ts'
import { verb } from './verb.ts'

export default verb({
  about:
    'It compiles, and passes its own tests: npm install && npm test. What it does is small, and yours to replace.\n' +
    'Kinds: dns-provider, policy, resolver, service.',
  args: {
    kind: { type: 'positional', required: true, description: 'What kind of plugin' },
    name: { type: 'positional', required: true, description: 'Lower case letters, digits and -, such as my-ca' },
    folder: { type: 'positional', required: false, description: 'A new or empty folder (default: the name)' },
    json: { type: 'boolean', description: 'Print JSON' },
  },
  examples: ['gateway new-plugin resolver my-ca', 'gateway new-plugin dns-provider my-dns ./packages/my-dns'],
  run: ({ kind, name, folder = name, json }) => {
    const files = newPlugin(kind, name, resolve(folder))
    if (json) printJson({ folder: resolve(folder), files })
    else print(...files.map((file) => `wrote ${join(folder, file)}`), `Prove it: cd ${folder} && npm install && npm test`)
  },
})

/** Writes the package into a folder that is new or empty, and returns its files. Throws BAD_REQUEST, or ROOT_UNUSABLE where it cannot write. */
export const newPlugin = (kind: string, name: string, folder: string): readonly string[] => {
  const running = dirname(createRequire(import.meta.url).resolve('zos-gateway/package.json'))
  const templates = join(running, 'templates')
  const kinds = readdirSync(templates).sort()
  if (!kinds.includes(kind)) {
    const near = nearest(kind, kinds)
    throw new GatewayError(
      'BAD_REQUEST',
      `there is no template of kind ${JSON.stringify(kind)}`,
      near ? `did you mean ${near}?` : `there are ${kinds.join(', ')}`,
    )
  }
  if (!/^[a-z](?:-?[a-z0-9])*$/.test(name) || name.length > 64)
    throw new GatewayError(
      'BAD_REQUEST',
      `${JSON.stringify(name)} is no name of a plugin`,
      'give lower case letters, digits and -, such as my-ca',
    )
  const files = new Map(Object.entries(papersOf(kind, name, installedFrom(running))))
  for (const file of readdirSync(join(templates, kind), { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.ts')) files.set(file, named(readFileSync(join(templates, kind, file), 'utf8'), name))
  try {
    mkdirSync(folder, { recursive: true })
    if (readdirSync(folder).length > 0)
      throw new GatewayError('BAD_REQUEST', `${folder} is not empty`, 'give a folder that is new or empty')
    for (const [file, text] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text, { flag: 'wx' })
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    throw new GatewayError('ROOT_UNUSABLE', `cannot write ${folder}: ${reason(cause)}`, 'choose a folder that you may write to', {
      cause,
    })
  }
  return [...files.keys()].sort()
}

/** Where npm got the running package from, for it to get the same again: a tarball, or a version. */
const installedFrom = (package_: string): string => {
  try {
    const lock: unknown = JSON.parse(readFileSync(join(package_, '..', '.package-lock.json'), 'utf8'))
    const packages = isRecord(lock) && isRecord(lock.packages) ? lock.packages : {}
    const own = packages['node_modules/zos-gateway']
    const from = isRecord(own) && typeof own.resolved === 'string' ? own.resolved : ''
    if (from.startsWith('file:')) return `file:${resolve(package_, '..', '..', from.slice('file:'.length))}`
  } catch {
    // It is a clone, or something other than npm put it there.
  }
  return `^${version}`
}

/** A template under the new name: `sample` as it is, `sampleX` in camel case, `Sample` in Pascal case. */
const named = (text: string, name: string): string => {
  const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  const pascal = camel.replace(/^./, (letter) => letter.toUpperCase())
  return text
    .replace(/\bsample(?=[A-Z])/g, camel)
    .replace(/\bsample\b(?=:| \}|,)/g, camel)
    .replaceAll('sample', name)
    .replaceAll('Sample', pascal)
}
