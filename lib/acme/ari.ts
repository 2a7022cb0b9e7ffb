import { loadX509 } from '../x509.ts'
import { type AcmeClient, json } from './client.ts'
import { isRecord, retryAfter } from './problem.ts'

/** A certificate's name towards its CA (RFC 9773 section 4.1): key identifier of the issuer and serial number. `undefined` where it lacks the first. */
export const ariId = async (chain: string): Promise<string | undefined> => {
  const x509 = await loadX509()
  const leaf = new x509.X509Certificate(chain)
  const { keyId } = leaf.getExtension(x509.AuthorityKeyIdentifierExtension) ?? {}
  // As DER has it: a leading zero stays where the first bit is set.
  const hex = leaf.serialNumber.length % 2 === 0 ? leaf.serialNumber : `0${leaf.serialNumber}`
  const serial = Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex
  return keyId && `${base64(keyId)}.${base64(serial)}`
}
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url')

export interface RenewalInfo {
  readonly start: Date
  readonly end: Date
  /** Why, for people. */
  readonly explanation: string | undefined
  /** When to ask again. */
  readonly again: Date
}

/** What the CA says on renewing a certificate; `undefined` where it says nothing (RFC 9773 section 4.2). */
export const renewalInfo = async (client: AcmeClient, chain: string, signal: AbortSignal): Promise<RenewalInfo | undefined> => {
  const { renewalInfo: at } = await client.directory(signal)
  const id = at === undefined ? undefined : await ariId(chain)
  if (at === undefined || id === undefined) return undefined
  const url = `${at.replace(/\/$/, '')}/${id}`
  const answer = await client.get(url, signal)
  const value = json(url, answer)
  const window = isRecord(value.suggestedWindow) ? value.suggestedWindow : {}
  const [start, end] = [new Date(String(window.start)), new Date(String(window.end))]
  // A window that ends before it starts is none (section 4.2).
  if (!(start.getTime() < end.getTime())) return undefined
  const now = Date.now()
  const asked = retryAfter(answer.field('retry-after'), now, 86_400_000)?.getTime() ?? now + 6 * hour
  return {
    start,
    end,
    explanation: typeof value.explanationURL === 'string' ? value.explanationURL.slice(0, 500) : undefined,
    again: new Date(Math.max(asked, now + minute)),
  }
}
const minute = 60_000
const hour = 60 * minute

/** A time in the window, by `share` of it (0 to 1): one that everybody picks at random, and keeps (RFC 9773 section 4.2). */
export const timeIn = ({ start, end }: Pick<RenewalInfo, 'start' | 'end'>, share: number): Date =>
  new Date(start.getTime() + (end.getTime() - start.getTime()) * share)
