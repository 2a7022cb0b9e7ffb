import { DnsWriter, definePlugin, knownOptions, NodeFacts, optional, reason, refused } from '../../../core/index.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { ownZones } from '../../../lib/dns/own-zones.ts'
import { type ResponderOptions, readOptions } from './options.ts'
import { standing } from './standing.ts'
import { type Zone, zoneOf } from './zone.ts'

export type { ResponderOptions } from './options.ts'

/**
 * Answers the delegated `_acme-challenge` zone itself, over UDP and TCP, without any other program. While its port is taken the
 * gateway runs on: the plugin is degraded, says who has the port, and tries again.
 */
export const responder = (options: ResponderOptions = {}) => {
  knownOptions('responder', options, { domains: true, addresses: true, port: true, nameServer: true })
  const place = readOptions(options)
  return definePlugin({
    name: 'dns-provider/responder',
    kind: 'dns-provider',
    options,
    needs: { node: optional(NodeFacts) },
    provides: { dns: DnsWriter },
    async setup({ node, state, signal: stop, log, health, endpoints }) {
      endpoints.declare([{ port: place.port }])
      const own = ownZones({
        domains: place.domains,
        domain: async (signal) => (await node?.publicConfig(signal))?.domain,
        saved: state.get('values'),
        save: (value) => state.set('values', value),
      })
      let serial = Math.floor(Date.now() / 1_000)
      let zones: readonly Zone[] = []
      /** What is answered from now on. */
      const publish = (): void => {
        serial = (serial + 1) >>> 0
        zones = own.domains.map((domain) => {
          const values = own.live.of(challengeOf(domain))
          return zoneOf(domain, place.nameServer ?? domain, serial, values)
        })
      }
      /** What a restart would lose is told, and answered all the same. */
      const keep = () => own.keep().catch((error) => log('the values could not be kept', { why: reason(error) }))
      const read = (fqdn: string, value: string): string => {
        const told = own.read(fqdn, value)
        if ('problem' in told) throw refused([told.problem])
        return told.name
      }

      await own.learn(stop).catch((error) => log('the node has not said its domain', { why: reason(error) }))
      publish()
      const serving = await standing(place, () => zones, { health, stop })
      return {
        api: {
          dns: {
            delegated: true,
            async present(fqdn: string, value: string, signal: AbortSignal) {
              signal.throwIfAborted()
              await own.learn(signal)
              const name = read(fqdn, value)
              own.live.add(name, value)
              publish()
              await Promise.all([keep(), serving.answers(name, value, signal)])
            },
            async cleanup(fqdn: string, value: string) {
              if (!own.live.remove(read(fqdn, value), value)) return
              publish()
              await keep()
            },
          },
        },
        close: serving.close,
      }
    },
  })
}
