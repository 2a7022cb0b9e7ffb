import { isIP } from 'node:net'
import { GatewayError } from '../../../core/index.ts'
import { canonicalHost } from '../../../lib/host.ts'
import { shown } from '../../../lib/shown.ts'

export interface ResponderOptions {
  /** The domains whose `_acme-challenge` name is delegated here. By default the one of the node's public config. */
  readonly domains?: readonly string[]
  /** IP addresses to listen on, UDP and TCP; every one of this machine by default. Name them where something else has port 53 of another. */
  readonly addresses?: readonly string[]
  /** Default 53, the only one that a delegation reaches. */
  readonly port?: number
  /** The name in the NS record of each zone; the domain itself by default. */
  readonly nameServer?: string
}
export interface Settings {
  readonly domains: readonly string[] | undefined
  readonly addresses: readonly string[]
  readonly port: number
  readonly nameServer: string | undefined
}

export const readOptions = ({ domains, addresses, port = 53, nameServer }: ResponderOptions): Settings => {
  if (addresses && (!Array.isArray(addresses) || addresses.length === 0 || addresses.some((text) => isIP(String(text)) === 0)))
    throw invalid('addresses', addresses, "give IP addresses such as ['198.51.100.7', '2001:db8::7']")
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('port', port, 'give a port from 1 to 65535')
  if (domains && (!Array.isArray(domains) || domains.length === 0))
    throw invalid('domains', domains, "give a list such as ['gent01.grid.tf'], or leave it out to take the node's own")
  return {
    domains: domains?.map((text) => host('domains', text)),
    addresses: addresses ?? ['0.0.0.0', '::'],
    port,
    nameServer: nameServer === undefined ? undefined : host('nameServer', nameServer),
  }
}

const host = (key: string, text: unknown): string => {
  const name = typeof text === 'string' ? canonicalHost(text) : undefined
  if (name === undefined) throw invalid(key, text, 'give a host name such as gent01.grid.tf, without _acme-challenge')
  return name
}
const invalid = (key: string, given: unknown, fix: string): GatewayError =>
  new GatewayError('CONFIG_INVALID', `responder: ${key} is ${shown(JSON.stringify(given) ?? 'nothing')}`, fix)
