import { startBackend } from './parts/backend.ts'
import { startGateway } from './parts/gateway.ts'
import { load } from './parts/load.ts'
import { digits, median, ms, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { cpuSeconds } from './parts/proc.ts'
import { seededRoot } from './parts/seed.ts'
import { startCaddy } from './peers/caddy.ts'
import { startChp } from './peers/chp.ts'
import { givenFor } from './peers/given.ts'
import { startHaproxy } from './peers/haproxy.ts'
import type { Given, Peer } from './peers/peer.ts'
import { startTraefik } from './peers/traefik.ts'

const cases = [
  { name: 'HTTPS, 64 bytes', scheme: 'https', path: '/64', rate: undefined },
  { name: 'HTTPS, 100 KB', scheme: 'https', path: '/102400', rate: undefined },
  { name: 'HTTP, 64 bytes', scheme: 'http', path: '/64', rate: undefined },
  { name: 'HTTPS, 64 bytes, 1,000/s', scheme: 'https', path: '/64', rate: 1_000 },
] as const
type Case = (typeof cases)[number]
/** What the gateway may cost of what Traefik costs: Go's TLS is leaner than Node's. */
const mostOfTraefik: Readonly<Record<string, number>> = { 'HTTP, 64 bytes': 1, 'HTTPS, 64 bytes': 1.3, 'HTTPS, 100 KB': 1.7 }

interface Sample {
  /** Microseconds of CPU a request. */
  readonly cpu: number
  readonly p99: number
  readonly perSecond: number
}

/** CPU and latency of a proxied request under 64 keep-alive connections, every proxy in turn, round after round. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const rounds = quick ? 2 : 6
  const seconds = quick ? 1 : 3
  const backend = await startBackend(say)
  const given = await givenFor(backend.port, say)
  const peers = await startAll(given, backend.url, say)
  const samples = new Map<string, Sample[]>()
  const take = async (one: Case, peer: Peer, keep: boolean) => {
    const port = one.scheme === 'https' ? peer.https : peer.http
    if (port === undefined) return
    const before = cpuSeconds(peer.process.pid)
    const { requests, perSecond, p99 } = await load(`${one.scheme}://${given.host}:${port}${one.path}`, seconds, one.rate)
    const cpu = ((cpuSeconds(peer.process.pid) - before) / requests) * 1e6
    const key = `${one.name} ${peer.name}`
    if (keep) samples.set(key, [...(samples.get(key) ?? []), { cpu, p99, perSecond }])
  }
  try {
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
      for (const one of cases) for (const peer of peers) await take(one, peer, round > 0)
    }
  } finally {
    await Promise.all(peers.map(({ process }) => process.stop()))
    await backend.stop()
  }
  return report(samples)
}

const startAll = async (given: Given, backend: string, say: (line: string) => void): Promise<readonly Peer[]> => {
  const root = await seededRoot(1, backend, say)
  const gateway = await startGateway({ root: root.path, say })
  return [
    { name: 'zos-gateway', process: gateway, https: gateway.https, http: gateway.http },
    await startChp(given, true),
    await startChp(given, false),
    await startCaddy(given),
    await startTraefik(given),
    ...[await startHaproxy(given)].flatMap((peer) => peer ?? []),
  ]
}

const report = (samples: ReadonlyMap<string, readonly Sample[]>): Figure => {
  const of = (one: Case, peer: string, what: keyof Sample) =>
    median((samples.get(`${one.name} ${peer}`) ?? []).map((sample) => sample[what]))
  const names = ['zos-gateway', 'configurable-http-proxy', 'Caddy', 'Traefik', 'HAProxy']
  const rows = cases.flatMap((one) =>
    names
      .filter((peer) => samples.has(`${one.name} ${peer}`))
      .map((peer) => {
        const [cpu, p99, perSecond] = [of(one, peer, 'cpu'), of(one, peer, 'p99'), of(one, peer, 'perSecond')]
        return [one.name, peer, `${digits(cpu)} us`, times(of(one, 'zos-gateway', 'cpu') / cpu), ms(p99), digits(perSecond)]
      }),
  )
  const peers = [
    { peer: 'configurable-http-proxy', cpu: 0.5 },
    { peer: 'Caddy', cpu: 1 },
  ]
  const targets = cases
    .filter(({ path }) => path === '/64')
    .flatMap((one) =>
      peers.flatMap(({ peer, cpu }) => {
        const against = (what: keyof Sample) => of(one, 'zos-gateway', what) / of(one, peer, what)
        return [
          ...(one.rate ? [] : [{ what: `CPU, ${one.name}, of ${peer}`, value: against('cpu'), most: cpu }]),
          { what: `p99, ${one.name}, of ${peer}`, value: against('p99'), most: 1 },
        ]
      }),
    )
  const traefik = cases.flatMap((one) => {
    const most = mostOfTraefik[one.name]
    const value = of(one, 'zos-gateway', 'cpu') / of(one, 'Traefik', 'cpu')
    return most === undefined ? [] : [{ what: `CPU, ${one.name}, of Traefik`, value, most }]
  })
  return {
    title: 'CPU per proxied request, keep-alive, 64 connections',
    columns: ['case', 'proxy', 'CPU a request', 'ours / its', 'p99', 'requests/s'],
    rows,
    targets: [...targets, ...traefik],
    notes: [
      'Medians of rounds in which every proxy had its turn. CPU is user and system time of the proxy process over the requests that it answered.',
      'The gateway serves plain HTTP here by `redirect: false`; it counts the bytes of every request, which the others do not.',
      'Without a rate every connection always has a request under way, so that the faster proxy works under more requests a second; at 1,000/s all have the same to do.',
      'HAProxy, where it is installed, is the floor and no target.',
    ],
  }
}
