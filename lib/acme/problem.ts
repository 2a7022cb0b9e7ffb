/** What a CA said against a request (RFC 8555 section 6.7, RFC 7807). `kind` is the error type without its URN prefix, such as `rateLimited`. */
export class AcmeProblem extends Error {
  override readonly name = 'AcmeProblem'
  readonly kind: string
  readonly status: number
  /** Before this time it is not to be asked again. */
  readonly retryAt: Date | undefined

  constructor(kind: string, status: number, detail: string, retryAt?: Date) {
    super(detail)
    this.kind = kind
    this.status = status
    this.retryAt = retryAt
  }
}

/** The CA gave no answer that could be used: not reachable, too slow, no ACME, half an answer. */
export class CaUnreachable extends Error {
  override readonly name = 'CaUnreachable'
  readonly retryAt: Date | undefined
  constructor(message: string, options: { cause?: unknown; retryAt?: Date | undefined } = {}) {
    super(message, { cause: options.cause })
    this.retryAt = options.retryAt
  }
}

/** The CA knows the account, and no longer serves it (RFC 8555 section 7.3.6). */
export class AccountDeactivated extends Error {
  override readonly name = 'AccountDeactivated'
}

const prefix = 'urn:ietf:params:acme:error:'

/** Reads a problem document; subproblems (RFC 8555 section 6.7.1) are told behind the detail. */
export const problemOf = (value: unknown, status: number, retryAt?: Date): AcmeProblem => {
  if (!isRecord(value)) return new AcmeProblem('', status, `it answered ${status}`, retryAt)
  const kind = typeof value.type === 'string' ? value.type.replace(prefix, '') : ''
  const detail = typeof value.detail === 'string' ? value.detail : `it answered ${status}`
  const parts = Array.isArray(value.subproblems) ? value.subproblems.filter(isRecord) : []
  const told = parts.flatMap((part) => (typeof part.detail === 'string' && !detail.includes(part.detail) ? [part.detail] : []))
  return new AcmeProblem(kind, status, plain([detail, ...told].join('; ')), retryAt)
}

/** One line, without control characters, of a length that fits a log: others wrote it. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 500)

/** The time of a Retry-After field (RFC 9110 section 10.2.3): seconds from `now`, or a date. At most `most` ms away. */
export const retryAfter = (field: string | undefined, now: number, most = 7 * 86_400_000): Date | undefined => {
  if (field === undefined) return undefined
  const text = field.trim()
  // `Date.parse` makes a date of many things that are none.
  const date = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text) ? Date.parse(text) : Number.NaN
  const at = /^[0-9]{1,9}$/.test(text) ? now + Number(text) * 1_000 : date
  return Number.isNaN(at) ? undefined : new Date(Math.min(Math.max(at, now), now + most))
}

/** A text that an answer has to have. */
export const text = (value: unknown, what: string): string => {
  if (typeof value === 'string' && value !== '') return value
  throw new CaUnreachable(`the CA left ${what} out of an answer`)
}

export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
