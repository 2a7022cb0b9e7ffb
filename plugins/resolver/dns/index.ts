import {
  Acme,
  type AcmeOrder,
  type AcmeProof,
  type Certificate,
  DnsWriter,
  type Draft,
  definePlugin,
  GatewayError,
  knownOptions,
  optional,
  reason,
} from '../../../core/index.ts'
import { dns01Value } from '../../../lib/acme/challenge.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { shown } from '../../../lib/shown.ts'
import { unlessAborted } from '../../../lib/unless-aborted.ts'

export interface DnsResolverOptions {
  /** The certificate names the domain itself beside `*.<domain>`. Default false. */
  readonly apex?: boolean
  /** The label of an instant resolver, such as `local`, whose certificate is served until the CA's is there. Default none: handshakes are refused. */
  readonly meanwhile?: string
  /** Seconds that the DNS provider has to put up one value. Default 300. */
  readonly timeout?: number
}

/**
 * Name workloads: all of them share one certificate for `*.<domain>`, proved over dns-01 by whatever plugin writes DNS records. Where
 * the engine gets certificates by itself it is only told so; else `acme()` orders them.
 */
export const dnsResolver = (options: DnsResolverOptions = {}) => {
  knownOptions('dnsResolver', options, { apex: true, meanwhile: true, timeout: true })
  const { apex = false, meanwhile, timeout = 300 } = options
  if (meanwhile !== undefined && typeof meanwhile !== 'string')
    throw new GatewayError(
      'CONFIG_INVALID',
      `dnsResolver: meanwhile is ${meanwhile}`,
      "give the label of a resolver, such as 'local'",
    )
  if (typeof apex !== 'boolean') throw new GatewayError('CONFIG_INVALID', `dnsResolver: apex is '${apex}'`, 'give true or false')
  if (!(typeof timeout === 'number' && timeout > 0 && timeout <= 540))
    throw new GatewayError(
      'CONFIG_INVALID',
      `dnsResolver: timeout is ${shown(String(timeout))}`,
      'give seconds above 0, at most 540',
    )
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
          followsAliases: dns.followsAliases,
          present: (proof, until) => presented(dns, proof, timeout, until),
          async cleanup(proof) {
            const name = recordName(proof)
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

const recordName = ({ alias, domain }: AcmeProof): string => alias ?? challengeOf(domain)

/** One that neither answers nor listens is given up, so that the next order can begin. */
const presented = async (dns: DnsWriter, proof: AcmeProof, seconds: number, until: AbortSignal): Promise<void> => {
  const late = AbortSignal.timeout(seconds * 1_000)
  const through = AbortSignal.any([until, late])
  try {
    await unlessAborted(dns.present(recordName(proof), dns01Value(proof.keyAuthorization), through, proof), through)
  } catch (error) {
    until.throwIfAborted()
    if (!late.aborted || error instanceof GatewayError) throw error
    throw new GatewayError(
      'DNS_UNAVAILABLE',
      `the DNS provider did not put up the challenge of ${proof.domain} within ${seconds} s`,
      'look at the plugin that writes DNS records in gateway status, or give it more time with dnsResolver({ timeout })',
      { cause: error },
    )
  }
}

const missing = (what: string, fix: string): GatewayError =>
  new GatewayError('PLUGIN_MISSING', `dnsresolver needs '${what}' to get a certificate, which no plugin provides`, fix)
