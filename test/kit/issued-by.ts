import type { DnsWriter } from '../../core/index.ts'
import { dns01Value } from '../../lib/acme/challenge.ts'
import { acmeClient } from '../../lib/acme/client.ts'
import { type Issued, orderCertificate } from '../../lib/acme/order.ts'
import { challengeOf } from '../../lib/dns/challenge.ts'
import type { NameServer } from '../../lib/dns/name-server.ts'
import { startDns } from './acme/dns.ts'
import { startPebble } from './acme/pebble.ts'

/** What a Pebble of its own issues for these names of the domain, whose challenge zone is delegated to `server`, where `dns` writes. */
export const issuedBy = async (o: {
  readonly dns: DnsWriter
  readonly server: NameServer
  readonly domain: string
  readonly names: readonly string[]
}): Promise<Issued> => {
  const world = await startDns()
  const at = challengeOf(o.domain)
  world.delegate(at, `${o.server.host}:${o.server.port}`)
  const pebble = await startPebble({ dns: world.address })
  const client = acmeClient({ directory: pebble.directory, trust: pebble.trust, keep: async () => undefined })
  try {
    const order = {
      names: o.names,
      challenge: 'dns-01',
      present: (proof: Proof, signal: AbortSignal) => o.dns.present(at, dns01Value(proof.keyAuthorization), signal, proof),
      cleanup: (proof: Proof) => o.dns.cleanup(at, dns01Value(proof.keyAuthorization), proof),
    }
    return await orderCertificate(client, order, AbortSignal.timeout(120_000))
  } finally {
    client.close()
    await pebble.close()
    await world.close()
  }
}
type Proof = Parameters<DnsWriter['present']>[3] & object
