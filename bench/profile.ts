import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/kit/port.ts'
import { startBackend } from './parts/backend.ts'
import { need } from './parts/find.ts'
import { startGateway } from './parts/gateway.ts'
import { load } from './parts/load.ts'
import { digits } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { cpuTimes } from './parts/proc.ts'
import { run } from './parts/process.ts'
import { profilerAt, sharesOf } from './parts/profile.ts'
import { seededRoot } from './parts/seed.ts'
import { type Groups, goGroup, nodeGroup } from './parts/spent-on.ts'
import { givenFor } from './peers/given.ts'
import { startTraefik } from './peers/traefik.ts'

const cases = [
  { name: 'HTTPS, 64 bytes', path: '/64' },
  { name: 'HTTPS, 100 KB', path: '/102400' },
] as const

/** What the CPU of a request is spent on, in the gateway with its embedded engine and in Traefik. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const seconds = quick ? 2 : 6
  const backend = await startBackend(say)
  const given = await givenFor(backend.port, say)
  const [inspect, debug] = [await freePort(), await freePort()]
  const gateway = await startGateway({ root: (await seededRoot(1, backend.url, say)).path, inspect, say })
  const traefik = await startTraefik(given, undefined, undefined, debug)
  const profiler = await profilerAt(inspect)
  const rows: string[][] = []
  try {
    for (const { name, path } of cases) {
      const url = (https = 0) => `https://${given.host}:${https}${path}`
      for (const { proxy, pid, https, look } of [
        {
          proxy: 'zos-gateway',
          pid: gateway.pid,
          https: gateway.https,
          look: async (work: () => Promise<unknown>) => sharesOf(await profiler.during(work), nodeGroup),
        },
        { proxy: 'Traefik', pid: traefik.process.pid, https: traefik.https, look: lookAt(debug, seconds, given.folder) },
      ]) {
        say(`${name}, ${proxy}`)
        // Warm, and the cost of a request where nobody looks.
        await load(url(https), seconds)
        const before = cpuTimes(pid)
        const { requests, perSecond } = await load(url(https), seconds)
        const after = cpuTimes(pid)
        say(`${name}, ${proxy}: ${digits(perSecond)} requests/s`)
        const cost = (of: 'user' | 'system') => ((after[of] - before[of]) / requests) * 1e6
        const all = cost('user') + cost('system')
        const shares = await look(() => load(url(https), seconds))
        rows.push(
          [name, proxy, 'all', `${digits(all)} us`, ''],
          [name, proxy, 'of that, in the kernel', `${digits(cost('system'))} us`, percent(cost('system') / all)],
        )
        for (const [group, share] of [...shares].toSorted(([, a], [, b]) => b - a))
          rows.push([name, proxy, group, `${digits(share * all)} us`, percent(share)])
      }
    }
    return {
      title: 'What the CPU of a proxied request is spent on',
      columns: ['case', 'proxy', 'what', 'CPU a request', 'share'],
      rows,
      targets: [],
      notes: [
        "64 keep-alive connections. The cost is of a run without a profiler; the shares are of a run beside it: samples of V8's profiler every 0.5 ms, and of Go's. To V8's a write is one native function, with its TLS record, its system call and, on loopback, the way to the other side; what a read does before JavaScript hears of it counts as the event loop.",
        "Most of what the gateway spends is in Node's native writes; the gateway's own code, with the rules for heads and the counting of bytes, is under a tenth. Where it needs more than Traefik, at 100 KB, it is there too: Node encrypts into buffers of OpenSSL's and copies from there to the socket, where Go encrypts in place.",
      ],
    }
  } finally {
    profiler.close()
    await gateway.stop()
    await traefik.process.stop()
    await backend.stop()
  }
}

/** Shares of what a Traefik does while some work runs, by its debug port. */
const lookAt =
  (port: number, seconds: number, folder: string) =>
  async (work: () => Promise<unknown>): Promise<Groups> => {
    const asked = fetch(`http://127.0.0.1:${port}/debug/pprof/profile?seconds=${Math.max(1, seconds - 1)}`)
    const [answer] = await Promise.all([asked, work()])
    if (!answer.ok) throw new Error(`Traefik's profiler answered ${answer.status}`)
    const file = join(folder, 'traefik.pprof')
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
    const go = need('go', 'install Go 1.26 or newer from https://go.dev/dl/')
    const top = await run(go, ['tool', 'pprof', '-top', '-nodecount=100000', '-nodefraction=0', file])
    const shares = new Map<string, number>()
    for (const [, percent = '0', name = ''] of top.matchAll(/^ *\S+ +([\d.]+)% +\S+ +\S+ +\S+ +(.+)$/gm))
      shares.set(goGroup(name), (shares.get(goGroup(name)) ?? 0) + Number(percent) / 100)
    return shares
  }

const percent = (share: number): string => `${digits(share * 100)} %`
