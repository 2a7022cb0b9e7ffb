import { asGatewayError, type ErrorCode, errorCodes, GatewayError } from '../../../core/index.ts'

/**
 * The answer of an error, as problem details (RFC 9457): `code`, `detail` and `fix` as callers of zbus read them in one sentence,
 * `problems` with all that stands against the operation.
 */
export const problem = (thrown: unknown): Response => {
  const { error, status, headers } =
    thrown instanceof HttpError ? thrown : { error: asGatewayError(thrown), status: undefined, headers: {} }
  const { code, message: detail, fix, problems } = error
  const answer = status ?? errorCodes[code].status
  const body = { type: `urn:zos-gateway:error:${code}`, title: titleOf(code), status: answer, code, detail, fix, problems }
  const retry: Record<string, string> = answer === 429 || answer === 503 ? { 'retry-after': seconds(error.retryAt) } : {}
  const challenge: Record<string, string> = answer === 401 ? { 'www-authenticate': 'Bearer realm="zos-gateway"' } : {}
  return new Response(JSON.stringify(body), {
    status: answer,
    headers: { 'content-type': 'application/problem+json', ...retry, ...challenge, ...headers },
  })
}

const seconds = (at: Date | undefined): string =>
  String(at === undefined ? 1 : Math.max(1, Math.ceil((at.getTime() - Date.now()) / 1_000)))

/** An error whose HTTP status says more than its code does: 405, 415, 431. */
export class HttpError extends Error {
  readonly status: number
  readonly error: GatewayError
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: ErrorCode, message: string, fix: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.error = new GatewayError(code, message, fix)
    this.headers = headers
  }
}

export const badRequest = (message: string, fix: string): GatewayError => new GatewayError('BAD_REQUEST', message, fix)

/** `DNS_MISMATCH` as `DNS mismatch`. */
const titleOf = (code: ErrorCode): string => {
  const words = code.split('_').map((word) => (['DNS', 'FQDN', 'HTTP', 'API', 'ID'].includes(word) ? word : word.toLowerCase()))
  return words.join(' ').replace(/^./, (first) => first.toUpperCase())
}
