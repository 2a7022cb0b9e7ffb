import { startBackend } from './parts/backend.ts'
import { cells, gatewayOf, type Subject, take } from './parts/changes.ts'
import { startGateway } from './parts/gateway.ts'
import { count, median, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'
import { givenFor } from './peers/given.ts'
import { type Fed, startFedByFiles, startFedOverHttp } from './peers/traefik-fed.ts'

/** From a Set until Traefik serves it: the gateway with Traefik as its engine, beside plain Traefik fed by hand. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const [few, many] = quick ? [200, 1_000] : [1_000, 10_000]
  const backend = await startBackend(say)
  const given = await givenFor(backend.port, say)
  const ours = async (routes: number) =>
    gatewayOf(await startGateway({ root: (await seededRoot(routes, backend.url, say)).path, traefik: 'http', say }), backend.url)
  const rows: string[][] = []
  const measured = async (routes: number, how: string, starting: Promise<Subject>, changes: number) => {
    say(`${how}, ${count(routes)} routes`)
    const subject = await starting
    const samples = await take(subject, quick ? Math.min(changes, 4) : changes).finally(subject.close)
    const row = [count(routes), how, ...cells(samples)]
    rows.push(row)
    say(row.join(' | '))
    return samples
  }
  try {
    const taken = []
    for (const [routes, changes] of [
      [few, 12],
      [many, 4],
    ] as const)
      taken.push({
        routes,
        ours: await measured(routes, 'zos-gateway', ours(routes), changes),
        byHand: await measured(routes, 'by hand, one document', peer(startFedOverHttp(given, routes)), changes),
        files: await measured(routes, 'by hand, a file per route', peer(startFedByFiles(given, routes)), changes / 3),
      })
    const lots = taken[1]
    return {
      title: 'From Set to live with Traefik',
      columns: ['routes', 'how', 'live, p50', 'p99', 'CPU a change'],
      rows,
      targets: [
        ...taken.flatMap(({ routes, ours, byHand }) => [
          {
            what: `p50, ${count(routes)} routes, of one document by hand`,
            value: median(ours.live) / median(byHand.live),
            most: 1,
          },
          {
            what: `p99, ${count(routes)} routes, of one document by hand`,
            value: percentile(ours.live, 0.99) / percentile(byHand.live, 0.99),
            most: 1,
          },
        ]),
        ...(lots
          ? [
              {
                what: `p50, ${count(many)} routes, of a file per route`,
                value: median(lots.ours.live) / median(lots.files.live),
                most: 1 / 2,
              },
              {
                what: `CPU, ${count(many)} routes, of a file per route`,
                value: median(lots.ours.cpu) / median(lots.files.cpu),
                most: 1 / 3,
              },
            ]
          : []),
      ],
      notes: [
        'From a Set over the HTTP API, or from the change of the document or folder, until a request over an open connection is answered. CPU of the gateway, its endpoint, its relay and Traefik together, until 0.6 s after; by hand only of Traefik.',
        'By hand: one JSON document over HTTP, polled every 100 ms with a throttle of 100 ms; a file per route in a watched folder with the throttle of 2 s that Traefik has by default.',
      ],
    }
  } finally {
    await backend.stop()
  }
}

const peer = async (starting: Promise<Fed>): Promise<Subject> => {
  const fed = await starting
  return { https: fed.https ?? 0, pid: fed.process.pid, add: fed.add, close: fed.close }
}
