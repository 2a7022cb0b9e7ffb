import { DnsWriter, definePlugin, NodeFacts, optional, reason, refused } from '../../../core/index.ts'
import { coalesce } from '../../../lib/coalesce.ts'
import { challengeOf, readChallenge } from '../../../lib/dns/challenge.ts'
import { restoreValues } from '../../../lib/dns/values.ts'
import { type ResponderOptions, readOptions } from './options.ts'
import { standing } from './standing.ts'
import { type Zone, zoneOf } from './zone.ts'

export type { ResponderOptions } from './options.ts'

/**
 * Answers the delegated `_acme-challenge` zone itself, over UDP and TCP, without any other program. While its port is taken the
 * gateway runs on: the plugin is degraded, says who has the port, and tries again.
 */
export const responder = (options: ResponderOptions = {}) => {
  const settings = readOptions(options)
  return definePlugin({
    name: 'dns-provider/responder',
    kind: 'dns-provider',
    options,
    needs: { node: optional(NodeFacts) },
    provides: { dns: DnsWriter },
    async setup({ node, state, signal: stop, log, health }) {
      const live = restoreValues(state.get(key), keepFor)
      let serial = Math.floor(Date.now() / 1_000)
      let domains = settings.domains ?? []
      let zones: readonly Zone[] = []
      /** What is answered from now on. */
      const publish = (): void => {
        serial = (serial + 1) >>> 0
        zones = domains.map((domain) => zoneOf(domain, settings.nameServer ?? domain, serial, live.of(challengeOf(domain))))
      }
      const learn = async (signal: AbortSignal): Promise<void> => {
        const domain = settings.domains ? undefined : (await node?.publicConfig(signal))?.domain
        if (domain === undefined || domains.includes(domain)) return
        domains = [domain]
        publish()
      }
      const save = coalesce(() => state.set(key, live.size > 0 ? live.encode() : null))
      /** What a restart would lose is told, and answered all the same. */
      const saved = () => save().catch((error) => log('the values could not be kept', { why: reason(error) }))
      const read = (fqdn: string, value: string): string => {
        const owned = domains.map(challengeOf)
        const told = readChallenge(
          fqdn,
          value,
          (name) => owned.includes(name),
          owned.join(', ') || 'none, for it knows no domain',
        )
        if ('problem' in told) throw refused([told.problem])
        return told.name
      }

      await learn(stop).catch((error) => log('the node has not said its domain', { why: reason(error) }))
      publish()
      const serving = await standing(settings, () => zones, { health, stop })
      return {
        api: {
          dns: {
            delegated: true,
            async present(fqdn: string, value: string, signal: AbortSignal) {
              signal.throwIfAborted()
              await learn(signal)
              const name = read(fqdn, value)
              live.add(name, value)
              publish()
              await Promise.all([saved(), serving.answers(name, value, signal)])
            },
            async cleanup(fqdn: string, value: string) {
              if (!live.remove(read(fqdn, value), value)) return
              publish()
              await saved()
            },
          },
        },
        close: serving.close,
      }
    },
  })
}

const key = 'values'
/** What is older when the gateway starts belongs to no order that still waits. */
const keepFor = 3_600_000
