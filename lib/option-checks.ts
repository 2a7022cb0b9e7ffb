import { nearest } from './nearest.ts'

/** The first key that is none of the known ones, and what to do about it; `prefix` stands before each in a sentence, such as `tls.`. */
export const unknownKey = (
  given: object,
  known: readonly string[],
  prefix = '',
): { readonly key: string; readonly fix: string } | undefined => {
  const key = Object.keys(given).find((each) => !known.includes(each))
  if (key === undefined) return undefined
  const near = nearest(key, known)
  return { key, fix: near ? `did you mean ${prefix}${near}?` : `there are ${known.join(', ')}` }
}

/**
 * Checks of a plugin's options, each of which throws what `wrong` makes of the option's name, what is wrong with it, and what to do.
 * `all`: how the options as a whole are named.
 */
export const optionChecks = (wrong: (option: string, what: string, fix: string) => Error, all: string) => ({
  number: (option: string, value: unknown, least: number, most: number): void => {
    if (typeof value === 'number' && value >= least && value <= most) return
    throw wrong(option, `is ${JSON.stringify(value)}`, `give a number from ${least} to ${most}`)
  },
  oneOf: (option: string, value: unknown, allowed: readonly string[]): void => {
    if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return
    throw wrong(option, `is ${JSON.stringify(value)}`, `give one of ${allowed.join(', ')}`)
  },
  /** `prefix`: of the keys' names, such as `tls.`; empty: they are the options themselves. */
  keys: (prefix: string, given: unknown, allowed: readonly string[]): void => {
    if (typeof given !== 'object' || given === null)
      throw wrong(prefix.slice(0, -1) || all, `is ${JSON.stringify(given)}`, 'give an object')
    const unknown = unknownKey(given, allowed, prefix)
    if (unknown) throw wrong(prefix + unknown.key, 'does not exist', unknown.fix)
  },
})
