import { setTimeout as wait } from 'node:timers/promises'
import { readOverHttp } from '../plugins/engine/traefik/endpoint/options.ts'
import { startBackend } from './parts/backend.ts'
import { cells, gatewayOf, seconds, take } from './parts/changes.ts'
import { domain, startGateway } from './parts/gateway.ts'
import { watchLive } from './parts/live.ts'
import { count, median, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'

/** Many Sets at once with Traefik as the engine, and from how many routes on they are cheaper over HTTP than as files. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const many = quick ? 1_000 : 10_000
  const backend = await startBackend(say)
  const ours = async (routes: number, traefik: 'files' | 'http') =>
    gatewayOf(await startGateway({ root: (await seededRoot(routes, backend.url, say)).path, traefik, say }), backend.url)
  const rows: string[][] = []
  try {
    say(`500 Sets within a second, ${count(many)} routes`)
    const crowd = await burst(await ours(many, 'http'))
    rows.push([count(many), `500 Sets in ${seconds(crowd.sent)}`, '-', seconds(crowd.live), `${crowd.rebuilds} rebuilds`])
    say(rows.flat().join(' | '))
    const { above } = readOverHttp({})
    const sizes = [above / 3, above, above * 3]
    const longer: number[] = []
    for (const routes of sizes) {
      const live: number[] = []
      for (const how of ['files', 'http'] as const) {
        say(`${count(routes)} routes, ${how}`)
        const subject = await ours(routes, how)
        const samples = await take(subject, quick ? 3 : 9).finally(subject.close)
        rows.push([count(routes), `routes: '${how}'`, ...cells(samples)])
        live.push(median(samples.live))
      }
      const [files = 0, http = 0] = live
      longer.push(files / http)
    }
    const [below = 0, there = 0, beyond = 0] = longer
    return {
      title: 'Many Sets with Traefik, and routes as files or over HTTP',
      columns: ['routes', 'how', 'live, p50', 'p99, or all', 'CPU a change'],
      rows,
      targets: [
        { what: '500 Sets, until all are live', value: crowd.live / 1_000, most: 10, unit: 's' },
        { what: '500 Sets, rebuilds', value: crowd.rebuilds, most: 4 },
        { what: `p50 of files at ${count(above / 3)} routes, of HTTP's`, value: below, most: 2 },
        { what: `p50 of HTTP at ${count(above * 3)} routes, of files'`, value: 1 / beyond, most: 1 },
      ],
      notes: [
        `The rows below the first are what \`routes: 'auto'\` goes by. HTTP is sooner everywhere, but files are what other tools read: they stay while a change by them is not much slower. At ${count(above / 3)} routes it takes ${times(below)} as long, at ${count(above)}, above which routes go over HTTP, ${times(there)}, and at ${count(above * 3)} ${times(beyond)}.`,
      ],
    }
  } finally {
    await backend.stop()
  }
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
