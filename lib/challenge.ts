import { canonicalHost } from './host.ts'

const value = /^[A-Za-z0-9_-]{43}$/

/** Whether a text is the TXT value of a dns-01 challenge: a SHA-256 digest in base64url (RFC 8555 section 8.4). */
export const isChallengeValue = (text: string): boolean => value.test(text)

/** The host that `_acme-challenge.<host>` is about, canonical, with or without a trailing dot; undefined where it is no such name. */
export const challengedHost = (fqdn: string): string | undefined => {
  const [first = '', ...rest] = fqdn.split('.')
  return first.toLowerCase() === '_acme-challenge' ? canonicalHost(rest.join('.')) : undefined
}
