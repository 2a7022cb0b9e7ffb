import { GatewayError } from '../../../core/index.ts'
import { nearest } from '../../../lib/nearest.ts'

/** CONFIG_INVALID with the option's name. */
export const wrong = (option: string, what: string, fix: string) =>
  new GatewayError('CONFIG_INVALID', `traefik(): option ${option} ${what}`, fix)

export const number = (option: string, value: unknown, low: number, high: number): void => {
  if (typeof value === 'number' && value >= low && value <= high) return
  throw wrong(option, `is ${JSON.stringify(value)}`, `give a number from ${low} to ${high}`)
}
export const oneOf = (option: string, value: unknown, allowed: readonly string[]): void => {
  if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return
  throw wrong(option, `is ${JSON.stringify(value)}`, `give one of ${allowed.join(', ')}`)
}
export const keys = (prefix: string, given: unknown, allowed: readonly string[]): void => {
  if (typeof given !== 'object' || given === null)
    throw wrong(prefix.slice(0, -1) || 'list', `is ${JSON.stringify(given)}`, 'give an object')
  for (const key of Object.keys(given)) {
    if (allowed.includes(key)) continue
    const near = nearest(key, allowed)
    throw wrong(prefix + key, 'does not exist', near ? `did you mean ${prefix}${near}?` : `there are ${allowed.join(', ')}`)
  }
}

/** Refuses two that would listen on the same port of the same address. An empty host, or an unspecified one, is all addresses. */
export const ownPorts = (
  listening: Readonly<Record<string, { readonly host: string; readonly port: number } | undefined>>,
): void => {
  const all = Object.entries(listening)
  const everywhere = (host: string) => ['', '0.0.0.0', '::'].includes(host)
  for (const [at, [option, one]] of all.entries()) {
    if (one === undefined) continue
    const clash = all
      .slice(0, at)
      .find(
        ([, other]) => other?.port === one.port && (other.host === one.host || everywhere(other.host) || everywhere(one.host)),
      )
    if (clash) throw wrong(option, `is ${one.port}, which is that of ${clash[0]}`, 'give each its own port')
  }
}
