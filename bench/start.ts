import { startBackend } from './parts/backend.ts'
import { untilServed } from './parts/client.ts'
import { domain, startGateway } from './parts/gateway.ts'
import { count, digits, median } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { residentBytes } from './parts/proc.ts'
import { seededRoot } from './parts/seed.ts'
import { startCaddy } from './peers/caddy.ts'
import { givenFor } from './peers/given.ts'

/** The whole process, from its start until a stored route answers, and what a route takes of its memory. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const many = quick ? 20_000 : 100_000
  const rounds = quick ? 2 : 7
  const backend = await startBackend(say)
  const given = await givenFor(backend.port, say)
  const hosts = Array.from({ length: many }, (_, n) => `w${n}.${domain}`)
  const ours = { few: [] as Sample[], many: [] as Sample[] }
  const theirs = { few: [] as Sample[], many: [] as Sample[] }
  try {
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      ours.few.push(await ourStart(1, backend.url, say))
      ours.many.push(await ourStart(many, backend.url, say))
      if (round >= 2) continue
      theirs.few.push(await caddyStart(given, hosts.slice(0, 1)))
      theirs.many.push(await caddyStart(given, hosts))
    }
  } finally {
    await backend.stop()
  }
  const of = (samples: readonly Sample[], what: keyof Sample) => median(samples.map((sample) => sample[what]))
  const perRoute = (side: typeof ours, what: 'resident' | 'heap') => (of(side.many, what) - of(side.few, what)) / (many - 1)
  const row = (name: string, routes: number, samples: readonly Sample[]) => [
    name,
    count(routes),
    `${digits(of(samples, 'seconds'))} s`,
    `${digits(of(samples, 'resident') / 1e6)} MB`,
    `${digits(of(samples, 'heap') / 1e6)} MB`,
  ]
  return {
    title: `Start and memory with ${count(many)} stored routes`,
    columns: ['gateway', 'routes', 'start to first served request', 'RSS', 'JavaScript heap'],
    rows: [
      row('zos-gateway', 1, ours.few),
      row('zos-gateway', many, ours.many),
      row('Caddy', 1, theirs.few),
      row('Caddy', many, theirs.many),
    ],
    targets: [
      { what: `start with ${count(many)} routes`, value: of(ours.many, 'seconds'), most: 2, unit: 's' },
      { what: 'RSS a route', value: perRoute(ours, 'resident'), most: 2_048, unit: 'B' },
      { what: 'JavaScript heap a route', value: perRoute(ours, 'heap'), most: 2_048, unit: 'B' },
    ],
    notes: [
      'Medians of whole processes of the built package; RSS and heap after a full collection, all routes under one certificate. "A route": over the gateway with one.',
      `Caddy reads its routes from one JSON file; it holds ${digits(perRoute(theirs, 'resident'))} B of RSS a route.`,
    ],
  }
}

interface Sample {
  readonly seconds: number
  readonly resident: number
  readonly heap: number
}

const ourStart = async (routes: number, backend: string, say: (line: string) => void): Promise<Sample> => {
  const root = await seededRoot(routes, backend, say)
  const last = `w${routes - 1}.${domain}`
  const gateway = await startGateway({ root: root.path, say, until: (https) => untilServed(https, last, performance.now()) })
  try {
    const { resident, heap } = await gateway.memory()
    return { seconds: gateway.took / 1_000, resident, heap }
  } finally {
    await gateway.stop()
    await root.remove()
  }
}

const caddyStart = async (given: Parameters<typeof startCaddy>[0], hosts: readonly string[]): Promise<Sample> => {
  const { process } = await startCaddy(given, hosts)
  try {
    return { seconds: process.took / 1_000, resident: residentBytes(process.pid), heap: Number.NaN }
  } finally {
    await process.stop()
  }
}
