import { parse } from 'tldts'

/** Whether a URL that a CA gave is its own: https, at the host and port of its directory or below the same registered domain. */
export const isSameSite = (directory: string, url: string): boolean => {
  if (!URL.canParse(url)) return false
  const [own, other] = [new URL(directory), new URL(url)]
  if (other.protocol !== 'https:' || other.username !== '' || other.password !== '') return false
  if (own.host === other.host) return true
  const domain = parse(own.hostname, { allowPrivateDomains: true }).domain
  return domain !== null && domain === parse(other.hostname, { allowPrivateDomains: true }).domain
}
