import { isIP } from 'node:net'
import { canonicalHost } from '../host.ts'
import { shown } from '../shown.ts'

/** Where a name server of the gateway's own answers, and for what. */
export interface PlaceOptions {
  /** The domains whose `_acme-challenge` names are delegated here. By default the one of the node's public config. */
  readonly domains?: readonly string[]
  /** IP addresses to listen on, UDP and TCP. */
  readonly addresses?: readonly string[]
  /** Default 53, the only one that a delegation reaches. */
  readonly port?: number
  /** The name of this server, as the NS records say it; the domain itself by default. */
  readonly nameServer?: string
}
export interface Place {
  readonly domains: readonly string[] | undefined
  readonly addresses: readonly string[] | undefined
  readonly port: number
  readonly nameServer: string | undefined
}

/** The options in canonical form, or what is wrong with them and what to write. */
export const readPlace = (options: PlaceOptions): Place | { readonly wrong: string; readonly fix: string } => {
  const { domains, addresses, port = 53, nameServer } = options
  const wrong = (key: keyof PlaceOptions, fix: string) => ({
    wrong: `${key} is ${shown(JSON.stringify(options[key]) ?? '')}`,
    fix,
  })
  if (addresses !== undefined && !(isList(addresses) && addresses.every((text) => isIP(String(text)) > 0)))
    return wrong('addresses', "give IP addresses such as ['198.51.100.7', '2001:db8::7']")
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return wrong('port', 'give a port from 1 to 65535')
  const hosts = domains === undefined ? undefined : isList(domains) ? domains.map(host) : [undefined]
  if (hosts && !hosts.every((each) => each !== undefined))
    return wrong('domains', "give host names such as ['gent01.grid.tf'], without _acme-challenge")
  const server = nameServer === undefined ? undefined : host(nameServer)
  if (nameServer !== undefined && server === undefined) return wrong('nameServer', 'give a host name such as ns1.example.org')
  return { domains: hosts, addresses, port, nameServer: server }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > 0
const host = (text: unknown): string | undefined => (typeof text === 'string' ? canonicalHost(text) : undefined)
