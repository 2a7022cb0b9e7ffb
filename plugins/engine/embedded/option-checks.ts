import { GatewayError } from '../../../core/index.ts'
import { optionChecks } from '../../../lib/option-checks.ts'

/** Each throws CONFIG_INVALID with the option's name. */
export const wrong = (option: string, what: string, fix: string): GatewayError =>
  new GatewayError('CONFIG_INVALID', `engine/embedded: the option ${option} ${what}`, fix)
export const { number, oneOf, keys } = optionChecks(wrong, '')

export const hostText = (option: string, value: unknown): void => {
  if (value === undefined || (typeof value === 'string' && value !== '')) return
  throw wrong(option, `is ${JSON.stringify(value)}`, 'give an address of this machine as text')
}
