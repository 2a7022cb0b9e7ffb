import type { ArgsDef } from 'citty'
import { GatewayError } from '../core/errors.ts'
import { nearest } from '../lib/nearest.ts'

/** Refuses what citty lets pass: unknown flags, a flag without its value, words too many. */
export const checkArgs = (raw: readonly string[], args: ArgsDef, name: string, repeats: boolean): void => {
  const flags = new Map(Object.entries(args).flatMap(([key, def]) => names(key, def).map((flag) => [flag, def])))
  let words = 0
  for (let i = 0; i < raw.length; i++) {
    const arg = raw[i] ?? ''
    if (arg === '--') {
      words += raw.length - i - 1
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      words++
      continue
    }
    const [flag = '', ...value] = arg.split('=')
    const def = flags.get(flag)
    if (!def) throw unknown(flag, flags.keys(), name)
    if (def.type === 'boolean') {
      if (value.length) throw bad(`${flag} takes no value`, name)
    } else if (!(value.length ? value.join('=') : plain(raw[++i]))) throw bad(`${flag} needs a value`, name)
  }
  const places = Object.values(args).filter(({ type }) => type === 'positional').length
  if (words > places && !repeats)
    throw bad(`${name} takes ${places || 'no'} ${places === 1 ? 'word' : 'words'}, not ${words}`, name)
}

const names = (key: string, def: ArgsDef[string]): string[] => {
  if (def.type === 'positional') return []
  const aliases = !('alias' in def) || def.alias === undefined ? [] : [def.alias].flat()
  return [`--${key}`, ...aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`))]
}

const plain = (next: string | undefined): string | undefined => (next?.startsWith('-') ? undefined : next)

const bad = (message: string, name: string) => new GatewayError('BAD_REQUEST', message, `see \`${name} --help\``)

const unknown = (flag: string, known: Iterable<string>, name: string) => {
  const near = nearest(flag, [...known, '--help'])
  return new GatewayError('BAD_REQUEST', `unknown flag ${flag}`, `${near ? `did you mean ${near}? ` : ''}see \`${name} --help\``)
}
