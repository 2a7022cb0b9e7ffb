import { GatewayError, type Route } from '../../../core/index.ts'
import { type Backend, parseBackend } from '../../../lib/backend.ts'

/** What is dialled for a route: what a bridge gave in place of its backends, with the scheme of the backend where that has none. */
export const addressesOf = (route: Route): readonly Backend[] => {
  const passthrough = route.tls.mode === 'passthrough'
  return route.backends.flatMap((text, i) => {
    const via = route.via?.[i]
    const scheme = /^[a-z]+:\/\//i.exec(text)?.[0] ?? ''
    const address = parseBackend(via === undefined ? text : via.includes('://') ? via : scheme + via, passthrough)
    return typeof address === 'string' ? [] : [address]
  })
}

/** Why a route cannot be served, where it cannot. */
export const problemOf = (route: Route): Error | undefined =>
  route.backends.length > 0 && addressesOf(route).length === route.backends.length
    ? undefined
    : new GatewayError(
        'INVALID_BACKEND',
        `a backend of ${route.id} cannot be dialled`,
        'write backends as http://ip:port, or ip:port for passthrough',
      )
