import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startBackend } from './parts/backend.ts'
import { api } from './parts/client.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { watchLive } from './parts/live.ts'
import { count, digits, median, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { cpuSeconds } from './parts/proc.ts'
import { seededRoot } from './parts/seed.ts'
import { givenFor } from './peers/given.ts'
import { type Fed, startFedByFiles, startFedOverHttp } from './peers/traefik-fed.ts'

/** Milliseconds from a change until it is live, and CPU seconds that it took in all processes together. */
interface Samples {
  readonly live: number[]
  readonly cpu: number[]
}
interface Subject {
  readonly https: number
  readonly pid: number
  add(name: string): unknown
  close(): Promise<unknown>
}

/** So long after a change is live its CPU is counted, in ms. */
const settle = 600

/** From a Set until Traefik serves it: the gateway with Traefik as its engine, beside plain Traefik fed by hand. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const [few, many] = quick ? [200, 1_000] : [1_000, 10_000]
  const backend = await startBackend(say)
  const given = await givenFor(backend.port, say)
  const ours = async (routes: number, traefik: 'files' | 'http') =>
    gatewayOf(await startGateway({ root: (await seededRoot(routes, backend.url, say)).path, traefik, say }), backend.url)
  const sample = async (what: string, starting: Promise<Subject>, changes: number) => {
    say(what)
    const subject = await starting
    return take(subject, quick ? Math.min(changes, 4) : changes).finally(subject.close)
  }
  const rows: string[][] = []
  const measured = async (routes: number, how: string, starting: Promise<Subject>, changes: number) => {
    const samples = await sample(`${how}, ${count(routes)} routes`, starting, changes)
    rows.push([count(routes), how, seconds(median(samples.live)), seconds(percentile(samples.live, 0.99)), cpu(samples)])
    return samples
  }
  try {
    const taken = []
    for (const [routes, changes] of [
      [few, 24],
      [many, 9],
    ] as const)
      taken.push({
        routes,
        ours: await measured(routes, 'zos-gateway', ours(routes, 'http'), changes),
        byHand: await measured(routes, 'by hand, one document', peer(startFedOverHttp(given, routes)), changes),
        files: await measured(routes, 'by hand, a file per route', peer(startFedByFiles(given, routes)), changes / 3),
      })
    say(`500 Sets within a second, ${count(many)} routes`)
    const crowd = await burst(await ours(many, 'http'))
    rows.push([
      count(many),
      `zos-gateway, 500 Sets in ${seconds(crowd.sent)}`,
      '-',
      seconds(crowd.live),
      `${crowd.rebuilds} rebuilds`,
    ])
    for (const routes of quick ? [10, 100] : [100, 300, 1_000])
      for (const how of ['files', 'http'] as const) await measured(routes, `zos-gateway, routes: '${how}'`, ours(routes, how), 5)
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
        { what: '500 Sets, until all are live', value: crowd.live / 1_000, most: 10, unit: 's' },
        { what: '500 Sets, rebuilds', value: crowd.rebuilds, most: 4 },
      ],
      notes: [
        'From a Set over the HTTP API, or from the change of the document or folder, until a request over an open connection is answered. CPU of the gateway, its endpoint and Traefik together, until 0.6 s after; by hand only of Traefik.',
        'By hand: one JSON document over HTTP, polled every 100 ms with a throttle of 100 ms; a file per route in a watched folder with the throttle of 2 s that Traefik has by default.',
        `The last rows are what \`routes: 'auto'\` goes by.`,
      ],
    }
  } finally {
    await backend.stop()
  }
}

const take = async (subject: Subject, changes: number): Promise<Samples> => {
  const watch = watchLive(subject.https, `w0.${domain}`)
  const samples: Samples = { live: [], cpu: [] }
  try {
    await watch.until(`w0.${domain}`)
    await wait(1_000)
    for (let n = -1; n < changes; n++) {
      const name = `s${n + 1}`
      const [before, began] = [cpuSeconds(subject.pid), performance.now()]
      subject.add(name)
      await watch.until(`${name}.${domain}`)
      const live = performance.now() - began
      await wait(settle)
      if (n < 0) continue
      samples.live.push(live)
      samples.cpu.push(cpuSeconds(subject.pid) - before)
    }
  } finally {
    watch.close()
  }
  return samples
}

const gatewayOf = (gateway: GatewayProcess, backend: string): Subject & { readonly gateway: GatewayProcess } => {
  const calls = api(join(gateway.root, 'gateway.sock'), 32)
  const close = async () => {
    calls.close()
    await gateway.stop()
  }
  return { gateway, https: gateway.https, pid: gateway.pid, add: (name) => calls.set(`41-${name}-bench`, name, backend), close }
}

const peer = async (starting: Promise<Fed>): Promise<Subject> => {
  const fed = await starting
  return { https: fed.https ?? 0, pid: fed.process.pid, add: fed.add, close: fed.close }
}

const burst = async (subject: Awaited<ReturnType<typeof gatewayOf>>) => {
  const watch = watchLive(subject.https, `w0.${domain}`)
  try {
    await watch.until(`w0.${domain}`)
    await wait(2_000)
    const [before, began] = [await subject.gateway.rebuilds(), performance.now()]
    const sets: unknown[] = []
    for (let n = 0; n < 500; n++) {
      sets.push(subject.add(`b${n}`))
      if (n % 25 === 24) await wait(Math.max(0, began + n * 2 - performance.now()))
    }
    await Promise.all(sets)
    const sent = performance.now() - began
    for (let n = 0; n < 500; n++) await watch.until(`b${n}.${domain}`)
    const live = performance.now() - began
    await wait(3_000)
    return { sent, live, rebuilds: (await subject.gateway.rebuilds()) - before }
  } finally {
    watch.close()
    await subject.close()
  }
}

const seconds = (ms: number): string => `${digits(ms / 1_000)} s`
const cpu = ({ cpu }: Samples): string => `${digits(median(cpu))} s`
