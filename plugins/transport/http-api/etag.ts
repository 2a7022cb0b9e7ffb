import { createHash } from 'node:crypto'
import { GatewayError, type Route } from '../../../core/index.ts'

/** A strong validator (RFC 9110 section 8.8.3): equal for equal content of the route, over restarts and on every gateway. */
export const etagOf = ({ id, host, zone, backends, passthrough, network, tls }: Route): string => {
  const ends = tls.mode === 'terminate' ? [tls.resolver, tls.names, tls.challenge ?? null] : []
  const content = JSON.stringify([id, host, zone ?? null, backends, passthrough, network ?? null, tls.mode, ends])
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

/** Does the validator stand in an If-None-Match list, by the weak comparison? `*` matches whatever exists. */
export const isIn = (list: string, etag: string | undefined): boolean => matches(list.replaceAll('W/"', '"'), etag)

const matches = (list: string, etag: string | undefined): boolean =>
  etag !== undefined && (list.trim() === '*' || list.split(',').some((each) => each.trim() === etag))

/** If-Match and If-None-Match of a write (RFC 9110 section 13.2.2). Throws PRECONDITION_FAILED. */
export const checkPreconditions = (headers: Headers, current: Route | undefined): void => {
  const etag = current && etagOf(current)
  const match = headers.get('if-match')
  const none = headers.get('if-none-match')
  if (match !== null && !matches(match, etag))
    throw failed(
      current ? 'the workload changed since you read it' : 'the workload does not exist',
      'read it again, then repeat with its ETag',
    )
  if (none !== null && isIn(none, etag)) throw failed('the workload exists', 'send it without If-None-Match to change it')
}

const failed = (message: string, fix: string) => new GatewayError('PRECONDITION_FAILED', message, fix)
