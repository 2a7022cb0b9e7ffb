import { join } from 'node:path'
import { startBackend } from './parts/backend.ts'
import { api } from './parts/client.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { count, digits, median, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { cpuSeconds } from './parts/proc.ts'
import { seededRoot } from './parts/seed.ts'
import { addToCaddy, startCaddy } from './peers/caddy.ts'
import { givenFor } from './peers/given.ts'
import type { Peer } from './peers/peer.ts'

const few = 100
const parallel = 16
interface Cost {
  /** Microseconds of CPU, and of time, that one change took. */
  readonly cpu: number
  readonly wall: number
}

/** What one change costs with many routes in place, over what it costs with few; both gateways run at once and take turns. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const many = quick ? 20_000 : 100_000
  const backend = await startBackend(say)
  const started: { stop(): Promise<void> }[] = [backend]
  try {
    const sizes = [few, many]
    const gateways: GatewayProcess[] = []
    for (const size of sizes) {
      const root = await seededRoot(size, backend.url, say)
      gateways.push(await startGateway({ root: root.path, durability: 'process', say }))
    }
    started.push(...gateways)
    const ours = await inTurns(gateways, quick ? 3 : 8, (gateway, round) =>
      ourChanges(gateway, backend.url, round, quick ? 400 : 2_000),
    )

    say('the same of Caddy')
    const given = await givenFor(backend.port, say)
    const peers: Peer[] = []
    const caddyMany = many / 10
    for (const size of [few, caddyMany])
      peers.push(
        await startCaddy(
          given,
          Array.from({ length: size }, (_, n) => `w${n}.${domain}`),
        ),
      )
    started.push(...peers.map(({ process }) => process))
    const theirs = await inTurns(peers, 2, (peer, round) => caddyChanges(peer, backend.port, round, 3))

    const rows = [
      ...sizes.map((size, i) => ['zos-gateway', count(size), ...cells(ours[i]!)]),
      ...[few, caddyMany].map((size, i) => ['Caddy', count(size), ...cells(theirs[i]!)]),
    ]
    const ratio = (what: keyof Cost, of: readonly Cost[]) => of[1]![what] / of[0]![what]
    return {
      title: 'Cost of one change by the number of routes in place',
      columns: ['gateway', 'routes', 'CPU a change', 'time a change'],
      rows,
      targets: [
        { what: `CPU at ${count(many)} routes, of that at ${few}`, value: ratio('cpu', ours), most: 1.5 },
        { what: `time at ${count(many)} routes, of that at ${few}`, value: ratio('wall', ours), most: 1.5 },
      ],
      notes: [
        `A change is a Set of a new workload or its Delete, over the HTTP API on the unix socket, ${parallel} at once, with \`durability: 'process'\` so that the disk does not hide the difference. Medians of rounds.`,
        `Caddy takes routes over its own API one after another, and loads its whole config anew for each: ${times(ratio('cpu', theirs))} the CPU at ${count(caddyMany)} routes.`,
      ],
    }
  } finally {
    for (const one of started.toReversed()) await one.stop()
  }
}

/** Per subject the median cost of its rounds; the first round warms up. */
const inTurns = async <T>(subjects: readonly T[], rounds: number, change: (subject: T, round: number) => Promise<Cost>) => {
  const costs = subjects.map((): Cost[] => [])
  for (let round = 0; round <= rounds; round++)
    for (const [i, subject] of subjects.entries()) {
      const cost = await change(subject, round)
      if (round > 0) costs[i]?.push(cost)
    }
  return costs.map((all): Cost => ({ cpu: median(all.map(({ cpu }) => cpu)), wall: median(all.map(({ wall }) => wall)) }))
}

const timed = async (pid: number, changes: number, work: () => Promise<void>): Promise<Cost> => {
  const [cpu, wall] = [cpuSeconds(pid), performance.now()]
  await work()
  return { wall: ((performance.now() - wall) * 1_000) / changes, cpu: ((cpuSeconds(pid) - cpu) * 1e6) / changes }
}

const ourChanges = (gateway: GatewayProcess, backend: string, round: number, changes: number) =>
  timed(gateway.pid, changes, async () => {
    const calls = api(join(gateway.root, 'gateway.sock'), parallel)
    let next = 0
    const worker = async () => {
      for (let n = next++; n < changes / 2; n = next++) {
        await calls.set(`41-${round}-${n}`, `c${round}-${n}`, backend)
        await calls.delete(`41-${round}-${n}`)
      }
    }
    await Promise.all(Array.from({ length: parallel }, worker))
    calls.close()
  })

const caddyChanges = (peer: Peer & { api?: number }, backendPort: number, round: number, changes: number) =>
  timed(peer.process.pid, changes, async () => {
    for (let n = 0; n < changes; n++) await addToCaddy(peer.api ?? 0, `c${round}-${n}.${domain}`, backendPort)
  })

const cells = ({ cpu, wall }: Cost): string[] => [`${digits(cpu)} us`, `${digits(wall)} us`]
