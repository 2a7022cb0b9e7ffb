import { nearest } from '../lib/nearest.ts'
import { GatewayError } from './errors.ts'

/**
 * Throws CONFIG_INVALID where options have a key that does not exist: a config's types are not checked when it runs, and a misspelt
 * option would be taken for an absent one. `known` has every option, and does not compile without one of them; `plugin` begins the sentence.
 */
export const knownOptions = <T extends object>(plugin: string, options: T, known: Readonly<Record<keyof T, true>>): void => {
  const invalid = (what: string, fix: string) => new GatewayError('CONFIG_INVALID', `${plugin}: ${what}`, fix)
  if (typeof options !== 'object' || options === null)
    throw invalid(`the options are ${JSON.stringify(options)}`, 'give an object, or nothing')
  const names = Object.keys(known)
  const unknown = Object.keys(options).find((key) => !names.includes(key))
  if (unknown === undefined) return
  const near = nearest(unknown, names)
  throw invalid(`the option ${unknown} does not exist`, near ? `did you mean ${near}?` : `there are ${names.join(', ')}`)
}
