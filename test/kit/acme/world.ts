import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DnsWriter, definePlugin } from '../../../core/index.ts'
import { freePort } from '../port.ts'
import { tempRoot } from '../root.ts'
import { type FakeDns, startDns } from './dns.ts'
import { type FaultProxy, startFaults } from './faults.ts'
import { type Pebble, type PebbleOptions, startPebble } from './pebble.ts'

/** A CA, the DNS that it asks, and what may go wrong between it and a gateway. Nothing of it leaves the machine. */
export interface AcmeWorld {
  readonly dns: FakeDns
  readonly pebble: Pebble
  /** The CA is to be asked through here. */
  readonly faults: FaultProxy
  /** The ports on which the CA looks for answers to http-01 and tls-alpn-01: those of the gateway. */
  readonly http: number
  readonly https: number
  /** For `acme()`: this CA, checked by this DNS. */
  readonly acme: {
    readonly authorities: readonly [{ readonly directory: string; readonly trust: string }]
    readonly nameServers: readonly string[]
    readonly httpPort: number
  }
  /** A DNS provider that writes into the DNS of this world. */
  writer(): ReturnType<typeof dnsWriter>
  close(): Promise<void>
}

/** Names are set in `dns`; nothing exists before. */
export const startAcmeWorld = async (options: Partial<PebbleOptions> = {}): Promise<AcmeWorld> => {
  const folder = tempRoot('acme')
  const dns = await startDns()
  const [http, https] = [await freePort(), await freePort()]
  const pebble = await startPebble({ http, tls: https, ...options, dns: dns.address })
  const faults = await startFaults(pebble)
  const trust = join(folder.path, 'trust.pem')
  await writeFile(trust, faults.trust)
  return {
    dns,
    pebble,
    faults,
    http,
    https,
    acme: { authorities: [{ directory: faults.directory, trust }], nameServers: [dns.address], httpPort: http },
    writer: () => dnsWriter(dns),
    close: async () => {
      await faults.close()
      await pebble.close()
      await dns.close()
      await folder.remove()
    },
  }
}

const dnsWriter = (dns: FakeDns) =>
  definePlugin({
    name: 'dns-provider/fake',
    kind: 'dns-provider',
    options: {},
    provides: { dns: DnsWriter },
    setup: () => ({
      api: {
        dns: {
          present: async (name: string, value: string) => dns.addTxt(name, value),
          cleanup: async (name: string, value: string) => dns.removeTxt(name, value),
        },
      },
    }),
  })
