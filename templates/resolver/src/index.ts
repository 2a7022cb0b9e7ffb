import { X509Certificate } from 'node:crypto'
import { type Certificate, definePlugin, GatewayError } from 'zos-gateway'

/** A chain, leaf first, and its PKCS #8 key, both PEM. */
export interface Issued {
  readonly chain: string
  readonly key: string
}
export interface SampleOptions {
  /** Hosts below this domain are taken, the others left to the next resolver. */
  readonly domain: string
  /** Where certificates come from. Put your CA in here. */
  readonly issue: (names: readonly string[], signal: AbortSignal) => Promise<Issued>
}

/** One certificate for each host below the domain. */
export const sampleResolver = (options: SampleOptions) => {
  const { domain, issue } = options
  if (domain === '') throw new GatewayError('CONFIG_INVALID', 'sample: domain is empty', 'give a domain such as example.org')
  const isOwn = (host: string) => host.endsWith(`.${domain}`)
  return definePlugin({
    name: 'resolver/sample',
    kind: 'resolver',
    options,
    setup: () => ({
      // Pure: asked for every route at start, and for dry runs.
      plan: ({ host, passthrough }) =>
        passthrough || !isOwn(host) ? undefined : { mode: 'terminate', resolver: 'sample', names: [host] },
      async obtain(names, signal): Promise<Certificate> {
        signal.throwIfAborted()
        const other = names.find((name) => !isOwn(name))
        if (other !== undefined)
          throw new GatewayError('INVALID_FQDN', `sample: ${other} is not below ${domain}`, 'use another resolver for it')
        const { chain, key } = await issue(names, signal)
        const { validFromDate, validToDate } = new X509Certificate(chain)
        return { id: '', resolver: 'sample', names, chain, key, notBefore: validFromDate, notAfter: validToDate }
      },
    }),
  })
}
