import { canonicalHost } from '../host.ts'
import { shown } from '../shown.ts'

const prefix = '_acme-challenge.'

/** What a dns-01 value is: a SHA-256 digest in base64url without padding (RFC 8555 section 8.4). */
const isChallengeValue = (value: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(value)

/** `_acme-challenge.` before a host name, lower case, without a trailing dot; `undefined` for anything else. */
const challengeName = (fqdn: string): string | undefined => {
  const lower = fqdn.slice(0, prefix.length).toLowerCase()
  const host = lower === prefix ? canonicalHost(fqdn.slice(prefix.length)) : undefined
  return host === undefined ? undefined : challengeOf(host)
}

/** The name at which a CA looks for the TXT records of a domain. */
export const challengeOf = (domain: string): string => `${prefix}${domain}`

/** Why a value cannot be put there, with what to do; fits the core's `refused`. */
export interface ChallengeProblem {
  readonly code: 'FORBIDDEN' | 'BAD_REQUEST'
  readonly message: string
  readonly fix: string
}

/**
 * The name in its canonical form, or why it is refused: the value is none of a dns-01 challenge, or the name is not one that `owns`
 * takes. `zones` says in words which names those are. `alias`: where a CNAME led to it, so that it may be any name of the zones.
 */
export const readChallenge = (
  fqdn: string,
  value: string,
  owns: (name: string) => boolean,
  zones: string,
  alias?: string,
): { readonly name: string } | { readonly problem: ChallengeProblem } => {
  if (!isChallengeValue(value))
    return {
      problem: {
        code: 'BAD_REQUEST',
        message: `'${shown(value)}' is no value of a dns-01 challenge`,
        fix: 'give 43 letters, digits, - and _ as the CA asks for them (RFC 8555 section 8.4)',
      },
    }
  const name = challengeName(fqdn) ?? (alias === undefined ? undefined : canonicalHost(fqdn))
  if (name !== undefined && owns(name)) return { name }
  const slip = /^__acme-challenge/i.test(fqdn) ? 'write _acme-challenge with one underscore; ' : ''
  return {
    problem: {
      code: 'FORBIDDEN',
      message: `'${shown(fqdn)}' is not in the zone of this DNS provider`,
      fix: `${slip}it takes ${zones}${alias === undefined ? '' : '; a CNAME leads there: add the zone of its target to the provider'}`,
    },
  }
}
