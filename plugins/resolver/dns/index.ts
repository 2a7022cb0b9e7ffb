import {
  Acme,
  type AcmeOrder,
  type Certificate,
  DnsWriter,
  type Draft,
  definePlugin,
  GatewayError,
  optional,
  reason,
} from '../../../core/index.ts'
import { dns01Value } from '../../../lib/acme/challenge.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'

export interface DnsResolverOptions {
  /** The certificate names the domain itself beside `*.<domain>`. Default false. */
  readonly apex?: boolean
  /** The label of an instant resolver, such as `local`, whose certificate is served until the CA's is there. Default none: handshakes are refused. */
  readonly meanwhile?: string
}

/**
 * Name workloads: all of them share one certificate for `*.<domain>`, proved over dns-01 by whatever plugin writes DNS records. Where
 * the engine gets certificates by itself it is only told so; else `acme()` orders them.
 */
export const dnsResolver = (options: DnsResolverOptions = {}) => {
  const { apex = false, meanwhile } = options
  if (meanwhile !== undefined && typeof meanwhile !== 'string')
    throw new GatewayError(
      'CONFIG_INVALID',
      `dnsResolver: meanwhile is ${meanwhile}`,
      "give the label of a resolver, such as 'local'",
    )
  if (typeof apex !== 'boolean') throw new GatewayError('CONFIG_INVALID', `dnsResolver: apex is '${apex}'`, 'give true or false')
  return definePlugin({
    name: 'resolver/dnsresolver',
    kind: 'resolver',
    options,
    needs: { acme: optional(Acme), dns: optional(DnsWriter) },
    setup: ({ acme, dns, log }) => ({
      queues: true,
      ...(meanwhile !== undefined && { meanwhile }),
      plan: ({ zone, passthrough }: Draft) =>
        passthrough || zone === undefined
          ? undefined
          : {
              mode: 'terminate' as const,
              resolver: 'dnsresolver',
              names: apex ? [`*.${zone}`, zone] : [`*.${zone}`],
              challenge: 'dns-01' as const,
            },
      async obtain(names: readonly string[], signal: AbortSignal, replaces?: Certificate) {
        if (!acme) throw missing('acme', 'add acme() to the plugins, or have the engine get certificates by itself')
        if (!dns) throw missing('dns-writer', 'add a plugin that writes DNS records, such as dnsmasq()')
        const order: AcmeOrder = {
          names,
          challenge: 'dns-01',
          tenant: names.join(' '),
          replaces,
          delegated: dns.delegated,
          present: (proof, until) => dns.present(challengeOf(proof.domain), dns01Value(proof.keyAuthorization), until, proof),
          async cleanup(proof) {
            const name = challengeOf(proof.domain)
            try {
              await dns.cleanup(name, dns01Value(proof.keyAuthorization), proof)
            } catch (error) {
              log('a TXT record could not be taken away', { name, reason: reason(error) })
            }
          },
        }
        return { id: '', resolver: 'dnsresolver', names, ...(await acme.obtain(order, signal)) }
      },
      ...(acme && { renewAt: acme.renewAt, revoke: acme.revoke }),
    }),
  })
}

const missing = (what: string, fix: string): GatewayError =>
  new GatewayError('PLUGIN_MISSING', `dnsresolver needs '${what}' to get a certificate, which no plugin provides`, fix)
