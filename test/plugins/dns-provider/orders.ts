import { Acme, type AcmeOrder, createGateway, DnsWriter, definePlugin, type Plugin } from '../../../core/index.ts'
import { dns01Value } from '../../../lib/acme/challenge.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { acme, level } from '../../../plugins/index.ts'
import { endKept, freePort, startPebble, tempRoot } from '../../kit/index.ts'
import { startResolver } from './resolver.ts'

/** A gateway with this provider on `port`, which orders from a real Pebble that validates by a resolver of its own. */
export const startOrders = async (domains: readonly string[], provider: (port: number) => readonly Plugin[]) => {
  const [root, port] = [tempRoot('orders'), await freePort()]
  const resolver = await startResolver({ host: '127.0.0.1', port }, domains.map(challengeOf))
  const pebble = await startPebble({ dns: resolver.address, authzReuse: 0 })
  let given: { acme: Acme; dns: DnsWriter } | undefined
  const user = definePlugin({
    name: 'service/orders',
    kind: 'service',
    needs: { acme: Acme, dns: DnsWriter },
    setup: (all) => {
      given = all
      return {}
    },
  })
  const ordering = acme({
    authorities: [{ directory: pebble.directory, trust: pebble.trustFile }],
    preflight: { here: false, caa: false, reach: false, delegation: false },
    nameServers: [resolver.address],
    parallel: 200,
  })
  const gateway = await createGateway({ plugins: [level(), ...provider(port), ordering, user] }, { root: root.path })
  if (!given) throw new Error('the plugins were not given')
  const { acme: orders, dns } = given
  const orderOf = (domain: string, tenant: string): AcmeOrder => ({
    names: [domain, `*.${domain}`],
    challenge: 'dns-01',
    tenant,
    present: (proof, until) => dns.present(challengeOf(domain), dns01Value(proof.keyAuthorization), until, proof),
    cleanup: (proof) => dns.cleanup(challengeOf(domain), dns01Value(proof.keyAuthorization), proof),
  })
  return {
    root: root.path,
    server: { host: '127.0.0.1', port },
    dns,
    gateway,
    /** Apex and wildcard in one order, whose two values stand at one name. Again where the CA itself gave up a question too early, on a busy machine. */
    obtain: async (domain: string, tenant: string, signal = AbortSignal.timeout(240_000)) => {
      for (;;) {
        const ordered = await orders.obtain(orderOf(domain, tenant), signal).catch((error: unknown) => {
          if (signal.aborted || !/i\/o timeout/.test(String(error))) throw error
        })
        if (ordered) return ordered
      }
    },
    close: async () => {
      await gateway.close()
      await endKept(root.path)
      await pebble.close()
      await resolver.close()
      await root.remove()
    },
  }
}
