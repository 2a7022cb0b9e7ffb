import { setTimeout as after } from 'node:timers/promises'
import { blankSecrets } from '../blank-secrets.ts'
import { shown } from '../shown.ts'
import { denied, unavailable } from './failure.ts'
import { httpRequest } from './http-request.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Never shown, should the server say them back. */
  readonly secrets?: readonly string[]
  readonly signal: AbortSignal
}
export interface Called {
  readonly status: number
  /** What the body is as JSON; `undefined` where it is none. */
  readonly json: unknown
  /** The body as a sentence may show it. */
  readonly said: string
}

const longest = 1 << 20
const tries = 4

/**
 * One HTTP call to a DNS provider. Asked again where it says 429 or 503, when it says to; rejects with DNS_DENIED for 401 and 403, with
 * DNS_UNAVAILABLE where there is no answer or 5xx. Whatever else it answers comes back. No redirect is followed: it would carry the secret.
 */
export const call = async ({ method, url, headers = {}, body, secrets = [], signal }: Call): Promise<Called> => {
  const at = `${method} ${url.origin}${url.pathname}`
  const clean = (text: string) => shown(blankSecrets(text, secrets))
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted()
    const response = await httpRequest({
      method,
      url,
      signal,
      maxBytes: longest,
      headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw unavailable(`${at}: ${clean(causeOf(error))}`, 'see whether the provider is reachable from here', undefined)
    })
    const { status, text } = response
    if (text === undefined) throw unavailable('the DNS provider answers more than 1 MiB')
    const said = `${at}: ${status}${text && ` ${clean(text)}`}`
    if (status === 401 || status === 403)
      throw denied(
        `the DNS provider refuses the gateway: ${said}`,
        'correct its secret, or give it the right to change this zone',
      )
    const pause = pauseOf(response.retryAfter, tried)
    if ((status === 429 || status === 503) && tried < tries && pause <= longestPause) {
      await after(pause, undefined, { signal })
      continue
    }
    if (status === 429 || status >= 500) throw unavailable(`the DNS provider failed: ${said}`)
    if (status >= 300 && status < 400)
      throw unavailable(`the DNS provider sends elsewhere: ${said}`, 'give the address that it has now')
    return { status, json: status < 400 ? jsonOf(text) : errorOf(text, secrets), said }
  }
}

/** A member of a JSON object; `undefined` of anything else. */
export const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
/** What an error says, with the secrets in its texts blanked. A longer one than anybody reads is none. */
const errorOf = (text: string, secrets: readonly string[]): unknown => {
  if (text.length > 16_384) return undefined
  try {
    return JSON.parse(text, (_, value) => (typeof value === 'string' ? blankSecrets(value, secrets) : value))
  } catch {
    return undefined
  }
}
/** Milliseconds that a provider may have us wait within one call; where it names more, the call fails and the next order tries again. */
const longestPause = 60_000

/** Milliseconds, 250 at least; Retry-After in seconds or as a date (RFC 9110 section 10.2.3). */
const pauseOf = (header: string | undefined, tried: number): number => {
  const seconds =
    header === undefined
      ? Number.NaN
      : /^[0-9]+$/.test(header)
        ? Number(header)
        : /^[A-Z][a-z]{2,8},? /.test(header)
          ? (Date.parse(header) - Date.now()) / 1_000
          : Number.NaN
  return Number.isNaN(seconds) ? 250 * 2 ** tried : Math.max(0.25, seconds) * 1_000
}
const causeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
