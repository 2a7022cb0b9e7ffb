import type { CertificateState, Logged, Route } from '../../../core/index.ts'

/** A route as callers see it. `httpsPort` is the public one, left out of the URL where it is 443. */
export const viewRoute = (route: Route, httpsPort = 443) => {
  const { id, host, zone, tenant, backends, passthrough, network, tls } = route
  return {
    id,
    kind: kindOf(route),
    host,
    url: `https://${host}${httpsPort === 443 ? '' : `:${httpsPort}`}/`,
    ...(zone !== undefined && { zone }),
    tenant,
    backends,
    passthrough,
    ...(network !== undefined && { network }),
    tls,
  }
}

/** A route with how its certificate is. */
export const viewWorkload = (route: Route, state: CertificateState | undefined, httpsPort?: number) => ({
  ...viewRoute(route, httpsPort),
  ...(state && {
    certificate: {
      state: state.state,
      ...(state.code !== undefined && { code: state.code, error: state.error, fix: state.fix }),
    },
  }),
})

export const kindOf = (route: Route): 'fqdn' | 'name' => (route.zone === undefined ? 'fqdn' : 'name')

/** A certificate without its key. */
export const viewCertificate = ({ certificate, ...state }: CertificateState) => ({
  ...state,
  ...(certificate && { notBefore: certificate.notBefore, notAfter: certificate.notAfter }),
})

/** An event as JSON: errors by code and sentence, routes as everywhere. */
export const viewEvent = (event: Logged, httpsPort?: number): object => {
  switch (event.type) {
    case 'applied': {
      const { previous } = event
      return { ...event, route: viewRoute(event.route, httpsPort), ...(previous && { previous: viewRoute(previous, httpsPort) }) }
    }
    case 'confirmed':
    case 'deleted':
    case 'removed':
      return { ...event, route: viewRoute(event.route, httpsPort) }
    case 'live':
      return event.error ? { ...event, error: viewError(event.error) } : event
    case 'failed':
      return { ...event, error: viewError(event.error) }
    case 'certificate':
    case 'engine':
    case 'plugin':
    case 'reloaded':
    case 'alarm':
    case 'gap':
      return event
  }
}

const viewError = (error: Error) => ({ message: error.message, ...('code' in error && { code: error.code }) })
