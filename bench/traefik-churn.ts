import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { startBackend } from './parts/backend.ts'
import { seconds } from './parts/changes.ts'
import { type Backend, type Churned, churn, type Served } from './parts/churn.ts'
import { api } from './parts/client.ts'
import { domain, startGateway } from './parts/gateway.ts'
import { count, median, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'
import { givenFor } from './peers/given.ts'
import { startFedByFiles } from './peers/traefik-fed.ts'

const sizes = [10, 150, 290]
const callers = [1, 16]
/** Pairs of a Set and a Delete with each number of routes and of callers; of the watched folder, which takes 2 s for each, a part. */
const most = 500
const watchedPart = 0.1

/** From Set to served while routes come and go: the gateway with Traefik as its engine, beside a watched folder as the Go module has it. */
export const measure = async ({ scale, say }: Options): Promise<Figure> => {
  const first = await startBackend(say)
  const second = await otherBackend()
  const backends: readonly [Backend, Backend] = [{ url: first.url, isIts: (headers) => !(mark in headers) }, second]
  const given = await givenFor(first.port, say)
  const all = Math.max(16, Math.round(most * scale))
  const few = Math.max(6, Math.round(all * watchedPart))
  const rows: string[][] = []
  const byHow = new Map<string, Served>()
  const measured = async (routes: number, how: string, start: () => Promise<Churned>, pairs = all) => {
    for (const some of callers) {
      say(`${how}, ${routes} routes, ${count(some)} callers`)
      const subject = await start()
      const served = await churn({ subject, callers: some, pairs, hostOf, backends }).finally(subject.close)
      rows.push([count(routes), count(some), how, ...cells(served.set), ...cells(served.change)])
      say(rows.at(-1)?.join(' | ') ?? '')
      const sums = byHow.get(how) ?? { set: [], change: [] }
      sums.set.push(...served.set)
      sums.change.push(...served.change)
      byHow.set(how, sums)
    }
  }
  try {
    for (const routes of sizes) {
      for (const how of ['files', 'http'] as const)
        await measured(routes, `zos-gateway, ${how}`, () => ours(routes, how, first.url, say))
      await measured(
        routes,
        'watched folder',
        async () => {
          const fed = await startFedByFiles(given, routes)
          return { https: fed.https ?? 0, set: fed.put, remove: fed.remove, close: fed.close }
        },
        few,
      )
    }
    return {
      title: 'From Set to served with Traefik while routes come and go',
      columns: ['routes', 'callers', 'how', 'Set to served, p50', 'worst', 'change to served, p50', 'worst'],
      rows,
      targets: [...byHow]
        .filter(([how]) => how.startsWith('zos'))
        .flatMap(([how, { set, change }]) => [
          { what: `${how}, the worst from a Set until it is served`, value: percentile(set, 1) / 1_000, most: 1, unit: 's' },
          {
            what: `${how}, the worst from a change until it is served`,
            value: percentile(change, 1) / 1_000,
            most: 1,
            unit: 's',
          },
        ]),
      notes: [
        `${count(all)} pairs with each number of routes and callers, of the watched folder ${count(few)}: a caller sets a route, deletes the one before as soon as that is answered, and sets the next when it is served; after every fifth pair it changes the backends. Times begin with the call, or with the write of the file, and end with a request over an open connection.`,
        'Watched folder: `watch: true`, files written in place and unlinked, with the throttle of 2 s that Traefik has by default, as the Go module has it.',
      ],
    }
  } finally {
    await first.stop()
    second.close()
  }
}

const hostOf = (name: string): string => `${name}.${domain}`
const cells = (times: readonly number[]): readonly string[] => [seconds(median(times)), seconds(percentile(times, 1))]

const ours = async (routes: number, how: 'files' | 'http', backend: string, say: Options['say']): Promise<Churned> => {
  const gateway = await startGateway({ root: (await seededRoot(routes, backend, say)).path, traefik: how, say })
  const calls = api(join(gateway.root, 'gateway.sock'), 64)
  return {
    https: gateway.https,
    set: (name, url) => calls.set(`41-${name}-bench`, name, url),
    remove: (name) => calls.delete(`41-${name}-bench`),
    close: async () => {
      calls.close()
      await gateway.stop()
    },
  }
}

const mark = 'x-other-backend'
const otherBackend = async (): Promise<Backend & { close(): void }> => {
  const server = createServer((_, answer) => answer.setHeader(mark, '1').end('other')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    isIts: (headers) => mark in headers,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
