import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import {
  DnsWriter,
  definePlugin,
  GatewayError,
  knownOptions,
  NodeFacts,
  optional,
  reason,
  refused,
  Supervisor,
} from '../../../core/index.ts'
import { coalesce } from '../../../lib/coalesce.ts'
import { ownZones } from '../../../lib/dns/own-zones.ts'
import { unlessAborted } from '../../../lib/unless-aborted.ts'
import { child } from './child.ts'
import { type DnsmasqOptions, readOptions, type Settings } from './options.ts'

export type { DnsmasqOptions } from './options.ts'

/**
 * Has a dnsmasq answer the delegated `_acme-challenge` zone. Its config is written anew from all live values and it is started again,
 * at most ten times a second however many values come; it outlives the gateway, so orders of others go on meanwhile.
 */
export const dnsmasq = (options: DnsmasqOptions = {}) => {
  knownOptions('dnsmasq', options, {
    command: true,
    user: true,
    netns: true,
    domains: true,
    addresses: true,
    port: true,
    nameServer: true,
  })
  const settings = readOptions(options)
  return definePlugin({
    name: 'dns-provider/dnsmasq',
    kind: 'dns-provider',
    options,
    needs: { node: optional(NodeFacts), supervisor: Supervisor },
    provides: { dns: DnsWriter },
    async setup({ node, supervisor, root, state, signal: stop, log, health, endpoints }) {
      endpoints.declare([{ port: settings.port }])
      const own = ownZones({
        domains: settings.domains,
        domain: async (signal) => (await node?.publicConfig(signal))?.domain,
        saved: state.get('values'),
        save: (value) => state.set('values', value),
      })
      let addresses = settings.addresses
      const learn = async (signal: AbortSignal): Promise<void> => {
        await own.learn(signal)
        if (settings.addresses) return
        const facts = await node?.publicConfig(signal)
        addresses = [facts?.ipv4, facts?.ipv6].flatMap((address) => address ?? [])
      }
      const server = child(settings, { supervisor, root, health })
      /** Calls that come together share one restart. */
      const apply = coalesce(async () => {
        const { domains, live } = own
        if (!addresses?.length || domains.length === 0) throw nowhere()
        const nameServer = settings.nameServer ?? domains[0] ?? ''
        await server.apply({ domains, nameServer, addresses, port: settings.port, user: userOf(settings), values: live.all() })
      }, 100)
      /** Without a caller that hears of it. */
      const applyAlone = () => apply().catch((error) => log('dnsmasq is not as it should be', { why: reason(error) }))
      const keep = () => own.keep().catch((error) => log('the values could not be kept', { why: reason(error) }))
      const read = (fqdn: string, value: string): string => {
        const told = own.read(fqdn, value)
        if ('problem' in told) throw refused([told.problem])
        return told.name
      }

      /** What is no longer wanted goes with the next restart, which may as well be one of a present. */
      let sweep: NodeJS.Timeout | undefined
      const standing = keepTrying(() => learn(stop).then(apply), stop, health)
      return {
        api: {
          dns: {
            delegated: true,
            async present(fqdn: string, value: string, signal: AbortSignal) {
              signal.throwIfAborted()
              await learn(signal)
              own.live.add(read(fqdn, value), value)
              await unlessAborted(Promise.all([keep(), apply()]), signal)
            },
            async cleanup(fqdn: string, value: string) {
              if (!own.live.remove(read(fqdn, value), value)) return
              clearTimeout(sweep)
              sweep = setTimeout(applyAlone, 1_000)
              await keep()
            },
          },
        },
        async close() {
          clearTimeout(sweep)
          await standing
          await server.close()
        },
      }
    },
  })
}

/** Returns after the first try; the port may be taken or the network namespace not there yet, so more follow until one succeeds. */
const keepTrying = async (apply: () => Promise<void>, stop: AbortSignal, health: (state: 'degraded', why: string) => void) => {
  const attempt = () =>
    apply().then(
      () => true,
      (error) => {
        health('degraded', reason(error))
        return false
      },
    )
  while (!stop.aborted && !(await attempt())) await after(5_000, undefined, { signal: stop }).catch(() => undefined)
}

const userOf = ({ user }: Settings): string | undefined => {
  if (process.getuid?.() !== 0) return undefined
  if (user !== undefined) return user
  return existsSync('/etc/passwd') && /^dnsmasq:/m.test(readFileSync('/etc/passwd', 'utf8')) ? 'dnsmasq' : 'nobody'
}
const nowhere = () =>
  new GatewayError(
    'NO_PUBLIC_CONFIG',
    'dnsmasq has no address to listen on or no domain to answer for',
    'give `addresses` and `domains`, or give the node a public config with both',
  )
