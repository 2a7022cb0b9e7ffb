import type { Certificate, Route, Stored, WorkloadId } from '../../../core/index.ts'

export const idOf = (text: string) => text as WorkloadId

/** A route of a name workload; `changes` replaces what matters to a case. */
export const route = (id: string, changes: Partial<Route> = {}): Route => ({
  id: idOf(id),
  host: `${id.toLowerCase()}.gent01.grid.tf`,
  backends: ['http://10.20.2.5:9000'],
  passthrough: false,
  zone: 'gent01.grid.tf',
  tenant: id.split('-')[0] ?? id,
  tls: { mode: 'terminate', resolver: 'dnsresolver', names: ['*.gent01.grid.tf'], challenge: 'dns-01' },
  ...changes,
})

export const passthrough: Route = {
  id: idOf('37-2039-test'),
  host: 'example.org',
  backends: ['10.20.2.7:443', '[2001:db8::7]:443'],
  passthrough: true,
  network: 'net1',
  tenant: '37',
  tls: { mode: 'passthrough' },
}

export const certificate = (id: string, changes: Partial<Certificate> = {}): Certificate => ({
  id,
  resolver: 'dnsresolver',
  names: ['*.gent01.grid.tf', 'gent01.grid.tf'],
  chain: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  key: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n',
  notBefore: new Date('2026-01-02T03:04:05.678Z'),
  notAfter: new Date('2026-04-02T03:04:05.678Z'),
  ...changes,
})

/** What was loaded, in an order that does not depend on the store. */
export const sorted = (stored: Stored) => ({
  routes: stored.routes.toSorted(by((each) => each.id)),
  certificates: stored.certificates.toSorted(by((each) => each.id)),
  bytes: new Map([...stored.bytes].sort(by(([id]) => id))),
  state: new Map([...stored.state].map(([key, value]) => [key, Uint8Array.from(value)] as const).sort(by(([key]) => key))),
})
const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : 1
