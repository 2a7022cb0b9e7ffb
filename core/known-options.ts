import { unknownKey } from '../lib/option-checks.ts'
import { GatewayError } from './errors.ts'

/**
 * Throws CONFIG_INVALID where options have a key that does not exist: a config's types are not checked when it runs, and a misspelt
 * option would be taken for an absent one. `known` has every option, and does not compile without one of them; `plugin` begins the sentence.
 */
export const knownOptions = <T extends object>(plugin: string, options: T, known: Readonly<Record<keyof T, true>>): void => {
  const invalid = (what: string, fix: string) => new GatewayError('CONFIG_INVALID', `${plugin}: ${what}`, fix)
  if (typeof options !== 'object' || options === null)
    throw invalid(`the options are ${JSON.stringify(options)}`, 'give an object, or nothing')
  const unknown = unknownKey(options, Object.keys(known))
  if (unknown) throw invalid(`the option ${unknown.key} does not exist`, unknown.fix)
}
