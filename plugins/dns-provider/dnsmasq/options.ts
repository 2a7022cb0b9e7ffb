import { GatewayError } from '../../../core/index.ts'
import { type Place, type PlaceOptions, readPlace } from '../../../lib/dns/place.ts'
import { shown } from '../../../lib/shown.ts'

/** `addresses` are those of the node's public config by default. */
export interface DnsmasqOptions extends PlaceOptions {
  /** A path, or a name that is looked up in PATH. Default `dnsmasq`. */
  readonly command?: string
  /** Whom it runs as once it has its port, where the gateway is root. By default `dnsmasq` where there is such a user, else `nobody`. */
  readonly user?: string
  /** The network namespace of the public side. */
  readonly netns?: string
}
export interface Settings extends Place {
  readonly command: string
  readonly user: string | undefined
  readonly netns: string | undefined
}

export const readOptions = ({ command = 'dnsmasq', user, netns, ...rest }: DnsmasqOptions): Settings => {
  const place = readPlace(rest)
  if ('wrong' in place) throw invalid(place.wrong, place.fix)
  if (typeof command !== 'string' || command === '') throw invalid('command is empty', 'give a path, or leave it out')
  if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user))
    throw invalid(`user is '${shown(user)}'`, 'name a user of this machine')
  if (netns !== undefined && !/^[A-Za-z0-9_.-]{1,64}$/.test(netns))
    throw invalid(`netns is '${shown(netns)}'`, 'name a network namespace')
  return { ...place, command, user, netns }
}

const invalid = (what: string, fix: string) => new GatewayError('CONFIG_INVALID', `dnsmasq: ${what}`, fix)
