import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Certificate, definePlugin, GatewayError } from 'zos-gateway'
import { sign } from './ca.ts'

export interface VaultStyleOptions {
  /** Of the CA, such as https://ca.internal:9000. */
  readonly url: string
  /** A file with the token that the CA wants. */
  readonly tokenFile: string
  /** Hosts below this domain get their certificates here. */
  readonly domain: string
  /** A PEM file with the root by which the CA's own TLS is verified; the system's by default. */
  readonly ca?: string
  /** That one request may take; 30 by default. */
  readonly seconds?: number
}

/** One certificate for each host below the domain, from an internal CA over HTTP. */
export const vaultStyle = (options: VaultStyleOptions) => {
  const { domain, tokenFile, ca, seconds = 30 } = options
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol))
    throw invalid(`url '${options.url}' is no URL`, 'give one such as https://ca.internal:9000')
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain))
    throw invalid(`domain '${domain}' is no domain`, 'give one such as internal.example.org, in lower case')
  const isOwn = (host: string) => host.endsWith(`.${domain}`)
  return definePlugin({
    name: 'resolver/vault-style',
    kind: 'resolver',
    options,
    setup: () => ({
      plan: ({ host, passthrough }) =>
        passthrough || !isOwn(host) ? undefined : { mode: 'terminate', resolver: 'vault-style', names: [host] },
      async obtain(names, signal): Promise<Certificate> {
        const other = names.find((name) => !isOwn(name))
        if (other !== undefined)
          throw new GatewayError('INVALID_FQDN', `vault-style: ${other} is not below ${domain}`, 'use another resolver for it')
        // Read each time: a token that was replaced needs no restart.
        const [token, root] = await Promise.all([
          readFile(tokenFile, 'utf8'),
          ca === undefined ? undefined : readFile(ca, 'utf8'),
        ])
        const until = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)])
        const { chain, key } = await sign({ url: options.url, token: token.trim(), root, names, signal: until })
        const { validFromDate, validToDate } = new X509Certificate(chain)
        return { id: '', resolver: 'vault-style', names, chain, key, notBefore: validFromDate, notAfter: validToDate }
      },
    }),
  })
}

const invalid = (message: string, fix: string) => new GatewayError('CONFIG_INVALID', `vaultStyle: ${message}`, fix)
