import { challengeOf } from '../../../lib/dns/challenge.ts'

/** All that a dnsmasq of ours is told; every part was checked where it came in, so nothing here is quoted. */
export interface Wanted {
  readonly domains: readonly string[]
  readonly nameServer: string
  readonly addresses: readonly string[]
  readonly port: number
  /** Where the gateway is root. */
  readonly user: string | undefined
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** The whole file: an authority for the challenge zones and for nothing else, which asks nobody and remembers nothing. */
export const configOf = ({ domains, nameServer, addresses, port, user, values }: Wanted): string => {
  const zones = domains.map(challengeOf)
  return [
    '# Written by the gateway with every change; what is changed by hand is lost.',
    'no-hosts',
    'no-resolv',
    'no-poll',
    'no-ident',
    'cache-size=0',
    'log-facility=-',
    'pid-file=',
    ...(user === undefined ? [] : [`user=${user}`]),
    `port=${port}`,
    'bind-dynamic',
    ...addresses.map((address) => `listen-address=${address}`),
    `auth-server=${[nameServer, ...addresses].join(',')}`,
    'auth-ttl=1',
    ...zones.map((zone) => `auth-zone=${zone}`),
    ...zones.flatMap((zone) => (values.get(zone) ?? []).map((value) => `txt-record=${zone},${value}`)),
    '',
  ].join('\n')
}
