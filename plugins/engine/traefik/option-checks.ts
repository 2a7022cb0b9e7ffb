import { GatewayError } from '../../../core/index.ts'
import { optionChecks } from '../../../lib/option-checks.ts'

/** CONFIG_INVALID with the option's name. */
export const wrong = (option: string, what: string, fix: string) =>
  new GatewayError('CONFIG_INVALID', `traefik(): option ${option} ${what}`, fix)
export const { number, oneOf, keys } = optionChecks(wrong, 'list')

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
