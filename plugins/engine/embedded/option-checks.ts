import { GatewayError } from '../../../core/index.ts'
import { nearest } from '../../../lib/nearest.ts'

/** Each throws CONFIG_INVALID with the option's name. */
export const wrong = (option: string, what: string, fix: string): GatewayError =>
  new GatewayError('CONFIG_INVALID', `engine/embedded: the option ${option} ${what}`, fix)

export const number = (option: string, value: unknown, least: number, most: number): void => {
  if (typeof value === 'number' && value >= least && value <= most) return
  throw wrong(option, `is ${JSON.stringify(value)}`, `give a number from ${least} to ${most}`)
}
export const oneOf = (option: string, value: unknown, allowed: readonly string[]): void => {
  if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return
  throw wrong(option, `is ${JSON.stringify(value)}`, `give one of ${allowed.join(', ')}`)
}
export const hostText = (option: string, value: unknown): void => {
  if (value === undefined || (typeof value === 'string' && value !== '')) return
  throw wrong(option, `is ${JSON.stringify(value)}`, 'give an address of this machine as text')
}
export const keys = (prefix: string, given: unknown, allowed: readonly string[]): void => {
  if (typeof given !== 'object' || given === null)
    throw wrong(prefix.slice(0, -1), `is ${JSON.stringify(given)}`, 'give an object')
  for (const key of Object.keys(given)) {
    if (allowed.includes(key)) continue
    const near = nearest(key, allowed)
    throw wrong(prefix + key, 'does not exist', near ? `did you mean ${prefix}${near}?` : `there are ${allowed.join(', ')}`)
  }
}
