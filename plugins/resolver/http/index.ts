import {
  Acme,
  type AcmeOrder,
  type Certificate,
  type Draft,
  definePlugin,
  GatewayError,
  HttpChallenge,
  optional,
} from '../../../core/index.ts'

/**
 * FQDN workloads: each domain has a certificate of its own, proved over http-01 on port 80 of the node. Where the engine gets
 * certificates by itself it is only told so; else `acme()` orders them.
 */
export const httpResolver = () =>
  definePlugin({
    name: 'resolver/resolver',
    kind: 'resolver',
    options: {},
    needs: { acme: optional(Acme), http: optional(HttpChallenge) },
    setup: ({ acme, http, routes }) => ({
      queues: true,
      plan: ({ host, zone, passthrough }: Draft) =>
        passthrough || zone !== undefined
          ? undefined
          : { mode: 'terminate' as const, resolver: 'resolver', names: [host], challenge: 'http-01' as const },
      async obtain(names: readonly string[], signal: AbortSignal, replaces?: Certificate) {
        if (!acme) throw missing('acme', 'add acme() to the plugins, or have the engine get certificates by itself')
        if (!http)
          throw missing('http-challenge', 'use an engine that answers http-01 challenges, such as embedded() with its http port')
        const [host = ''] = names
        const order: AcmeOrder = {
          names,
          challenge: 'http-01',
          tenant: routes.byHost(host)?.tenant ?? host,
          replaces,
          present: ({ token, keyAuthorization }) => http.present(token, keyAuthorization),
          cleanup: ({ token }) => http.cleanup(token),
        }
        return { id: '', resolver: 'resolver', names, ...(await acme.obtain(order, signal)) }
      },
      ...(acme && { renewAt: acme.renewAt, revoke: acme.revoke }),
    }),
  })

const missing = (what: string, fix: string): GatewayError =>
  new GatewayError('PLUGIN_MISSING', `resolver needs '${what}' to get a certificate, which no plugin provides`, fix)
