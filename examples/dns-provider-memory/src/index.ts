import { challengeOf, DnsWriter, definePlugin, GatewayError, readChallenge, refused } from 'zos-gateway'
import type { NameServer } from './name-server.ts'

export { type NameServer, startNameServer } from './name-server.ts'

export interface MemoryDnsOptions {
  readonly server: NameServer
  /** Domains whose `_acme-challenge` names are delegated to the server. */
  readonly domains: readonly string[]
}

/** Writes DNS challenges into a name server in memory. */
export const memoryDns = ({ server, domains }: MemoryDnsOptions) => {
  if (domains.length === 0) throw new GatewayError('CONFIG_INVALID', 'memoryDns: domains is empty', 'give at least one domain')
  const names = domains.map(challengeOf)
  const read = (fqdn: string, value: string): string => {
    const told = readChallenge(fqdn, value, (name) => names.includes(name), names.join(', '))
    if ('problem' in told) throw refused([told.problem])
    return told.name
  }
  return definePlugin({
    name: 'dns-provider/memory',
    kind: 'dns-provider',
    // The server is no option that could be compared: a reload sets the plugin up anew, on the same server.
    options: { domains },
    provides: { dns: DnsWriter },
    setup: () => ({
      api: {
        dns: {
          // The node answers itself, so the gateway checks the delegation before it orders.
          delegated: true,
          async present(fqdn, value, signal) {
            signal.throwIfAborted()
            server.add(read(fqdn, value), value)
          },
          cleanup: async (fqdn, value) => server.remove(read(fqdn, value), value),
        },
      },
    }),
  })
}
