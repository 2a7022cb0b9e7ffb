/** Why a DNS provider could not do it, with what to do; plugins make it an error of the core's. */
export class DnsFailure extends Error {
  readonly code: 'DNS_UNAVAILABLE' | 'DNS_DENIED' | 'FORBIDDEN' | 'BAD_REQUEST'
  readonly fix: string
  constructor(code: DnsFailure['code'], message: string, fix: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = fix
  }
}

export const unavailable = (message: string, fix = 'it is tried again with the next order', cause?: unknown): DnsFailure =>
  new DnsFailure('DNS_UNAVAILABLE', message, fix, cause)
export const denied = (message: string, fix: string, cause?: unknown): DnsFailure =>
  new DnsFailure('DNS_DENIED', message, fix, cause)
