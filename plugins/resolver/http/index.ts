import {
  Acme,
  type AcmeOrder,
  type Certificate,
  type Draft,
  definePlugin,
  GatewayError,
  HttpChallenge,
  knownOptions,
  optional,
  TlsAlpnChallenge,
} from '../../../core/index.ts'

export interface HttpResolverOptions {
  /** `tls-alpn-01` where port 80 is closed and the gateway gets the certificates. Default `http-01`. */
  readonly challenge?: 'http-01' | 'tls-alpn-01'
  /** The label of an instant resolver, such as `local`, whose certificate is served until the CA's is there. Default none: handshakes are refused. */
  readonly meanwhile?: string
}

/**
 * FQDN workloads: each domain has a certificate of its own, proved over http-01 on port 80 of the node, or over tls-alpn-01 on port
 * 443. Where the engine gets certificates by itself it is only told so; else `acme()` orders them.
 */
export const httpResolver = (options: HttpResolverOptions = {}) => {
  knownOptions('httpResolver', options, { challenge: true, meanwhile: true })
  const { challenge = 'http-01', meanwhile } = options
  if (challenge !== 'http-01' && challenge !== 'tls-alpn-01')
    throw new GatewayError('CONFIG_INVALID', `httpResolver: challenge is '${challenge}'`, "give 'http-01' or 'tls-alpn-01'")
  if (meanwhile !== undefined && typeof meanwhile !== 'string')
    throw new GatewayError(
      'CONFIG_INVALID',
      `httpResolver: meanwhile is ${meanwhile}`,
      "give the label of a resolver, such as 'local'",
    )
  return definePlugin({
    name: 'resolver/resolver',
    kind: 'resolver',
    options,
    needs: { acme: optional(Acme), http: optional(HttpChallenge), alpn: optional(TlsAlpnChallenge) },
    setup: ({ acme, http, alpn, routes }) => ({
      queues: true,
      ...(meanwhile !== undefined && { meanwhile }),
      plan: ({ host, zone, passthrough }: Draft) =>
        passthrough || zone !== undefined
          ? undefined
          : { mode: 'terminate' as const, resolver: 'resolver', names: [host], challenge },
      async obtain(names: readonly string[], signal: AbortSignal, replaces?: Certificate) {
        if (!acme) throw missing('acme', 'add acme() to the plugins, or have the engine get certificates by itself')
        const [host = ''] = names
        const order: AcmeOrder = {
          names,
          challenge,
          tenant: routes.byHost(host)?.tenant ?? host,
          replaces,
          ...(challenge === 'http-01' ? overHttp(http) : overTls(alpn)),
        }
        return { id: '', resolver: 'resolver', names, ...(await acme.obtain(order, signal)) }
      },
      ...(acme && { renewAt: acme.renewAt, revoke: acme.revoke }),
    }),
  })
}

type Answering = Pick<AcmeOrder, 'present' | 'cleanup'>

const overHttp = (http: HttpChallenge | undefined): Answering => {
  if (!http)
    throw missing('http-challenge', 'use an engine that answers http-01 challenges, such as embedded() with its http port')
  return {
    present: ({ token, keyAuthorization }) => http.present(token, keyAuthorization),
    cleanup: ({ token }) => http.cleanup(token),
  }
}

const overTls = (alpn: TlsAlpnChallenge | undefined): Answering => {
  if (!alpn)
    throw missing('tls-alpn-challenge', "use an engine that answers tls-alpn-01 challenges, such as embedded(), or 'http-01'")
  return {
    async present({ domain, keyAuthorization }) {
      const { alpnCertificate } = await import('../../../lib/acme/alpn.ts')
      await alpn.present(domain, await alpnCertificate(domain, keyAuthorization))
    },
    cleanup: ({ domain }) => alpn.cleanup(domain),
  }
}

const missing = (what: string, fix: string): GatewayError =>
  new GatewayError('PLUGIN_MISSING', `resolver needs '${what}' to get a certificate, which no plugin provides`, fix)
