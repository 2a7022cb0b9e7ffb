import type { Problem } from './operation.ts'

interface Kind {
  /** Of the answer over HTTP. */
  readonly status: number
  /** Of a process that ends by it: CLI and start. */
  readonly exit: number
}
const request = (status: number): Kind => ({ status, exit: 2 })

/** Every code that this project ever answers with. docs/errors.md explains each; a test ties the two. */
export const errorCodes = {
  INVALID_ID: request(400),
  INVALID_FQDN: request(400),
  INVALID_NAME: request(400),
  INVALID_BACKEND: request(400),
  BAD_REQUEST: request(400),
  TOO_LARGE: request(413),
  UNAUTHORIZED: request(401),
  FORBIDDEN: request(403),
  NOT_FOUND: { status: 404, exit: 4 },
  PRECONDITION_FAILED: request(412),
  BACKEND_FORBIDDEN: request(422),
  DOMAIN_TAKEN: request(409),
  DOMAIN_MANAGED: request(422),
  DNS_MISMATCH: request(422),
  NAME_NOT_RESERVED: request(422),
  NO_PUBLIC_CONFIG: request(422),
  NO_DOMAIN: request(422),
  NO_RESOLVER: request(422),
  FQDN_DISABLED: request(422),
  NAME_DISABLED: request(422),
  PASSTHROUGH_DISABLED: request(422),
  METRICS_DISABLED: request(501),
  HTTP_API_DISABLED: request(501),
  DOCTOR_DISABLED: request(501),
  NETWORK_UNSUPPORTED: request(422),
  LIMIT: request(429),
  TIMEOUT: { status: 504, exit: 5 },
  CERT_PENDING: { status: 503, exit: 5 },
  CERT_INVALID: { status: 503, exit: 5 },
  DNS_UNAVAILABLE: { status: 503, exit: 5 },
  DNS_DENIED: { status: 502, exit: 5 },
  NEIGHBOUR_UNAVAILABLE: { status: 503, exit: 5 },
  NETWORK_UNAVAILABLE: { status: 503, exit: 5 },
  CA_UNREACHABLE: { status: 503, exit: 5 },
  CA_REFUSED: { status: 503, exit: 5 },
  CA_LIMIT: { status: 503, exit: 5 },
  ORDER_PENDING: { status: 503, exit: 5 },
  ACCOUNT_DEACTIVATED: { status: 503, exit: 5 },
  EAB_INVALID: { status: 503, exit: 5 },
  NAME_BLOCKED: { status: 503, exit: 5 },
  CHALLENGE_FAILED: { status: 503, exit: 5 },
  CHALLENGE_UNREACHABLE: { status: 503, exit: 5 },
  DNS_FAILED: { status: 503, exit: 5 },
  CAA_FORBIDS: { status: 503, exit: 5 },
  DELEGATION_MISSING: { status: 503, exit: 5 },
  CLOCK_SKEW: { status: 503, exit: 5 },
  ENGINE_UNAVAILABLE: { status: 503, exit: 5 },
  STORAGE: { status: 507, exit: 5 },
  STOPPING: { status: 503, exit: 5 },
  BUSY: { status: 503, exit: 5 },
  INTERNAL: { status: 500, exit: 70 },
  CONFIG_INVALID: { status: 500, exit: 78 },
  PLUGIN_MISSING: { status: 500, exit: 78 },
  PLUGIN_FAILED: { status: 500, exit: 70 },
  PORT_IN_USE: { status: 500, exit: 71 },
  LISTEN_FAILED: { status: 500, exit: 71 },
  ROOT_UNUSABLE: { status: 500, exit: 73 },
  PROCESS_FAILED: { status: 503, exit: 69 },
  BROKER_UNAVAILABLE: { status: 503, exit: 69 },
  NOT_RUNNING: { status: 503, exit: 69 },
} as const satisfies Record<string, Kind>
export type ErrorCode = keyof typeof errorCodes

/** An error that a caller may see: a stable code, what happened, what to do about it. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly fix: string
  /** All that stands against the operation, the first being what `code` and `message` say. */
  readonly problems: readonly Problem[]
  /** Another try before this time is of no use. */
  readonly retryAt: Date | undefined

  constructor(
    code: ErrorCode,
    message: string,
    fix: string,
    options?: { cause?: unknown; problems?: readonly Problem[]; retryAt?: Date | undefined },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = fix
    this.retryAt = options?.retryAt
    this.problems = options?.problems ?? [{ code, message, fix }]
  }

  /** One line for a person or a log: every problem as `CODE: what happened (what to do)`. */
  get text(): string {
    return this.problems.map(({ code, message, fix }) => `${code}: ${message}${fix && ` (${fix})`}`).join('; ')
  }
}

/** One error of several problems; its own code is the first one's. */
export const refused = (problems: readonly [Problem, ...Problem[]]): GatewayError => {
  const [first] = problems
  return new GatewayError(isErrorCode(first.code) ? first.code : 'BAD_REQUEST', first.message, first.fix, { problems })
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)

/** Whatever was thrown, as a GatewayError: one passes as it is, the rest become INTERNAL, keeping their cause. */
export const asGatewayError = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError
    ? thrown
    : new GatewayError('INTERNAL', `internal error: ${reason(thrown)}`, 'see the log of the gateway', { cause: thrown })

/** The sentence of whatever was thrown. */
export const reason = (thrown: unknown): string => (thrown instanceof Error ? thrown.message || thrown.name : String(thrown))
