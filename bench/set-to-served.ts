import { join } from 'node:path'
import { startBackend } from './parts/backend.ts'
import { api, getOnce } from './parts/client.ts'
import { syncProbe } from './parts/disk.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { count, median, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'
import { addToCaddy, startCaddy } from './peers/caddy.ts'
import { addToChp, startChp } from './peers/chp.ts'
import { givenFor } from './peers/given.ts'

interface Samples {
  readonly served: number[]
  readonly set: number[]
  readonly standing: number[]
  readonly sync: number[]
}

/** From a Set until the first request of a new client to the new name is answered, with few and with many routes in place. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const many = quick ? 20_000 : 100_000
  const times = quick ? 200 : 2_000
  const backend = await startBackend(say)
  const started: { stop(): Promise<void> }[] = [backend]
  try {
    const taken = new Map<number, Samples>()
    for (const size of [100, many]) {
      const root = await seededRoot(size, backend.url, say)
      const gateway = await startGateway({ root: root.path, say })
      say(`${count(times)} Sets with ${count(size)} routes in place`)
      taken.set(size, await sample(gateway, backend.url, times).finally(gateway.stop))
      await root.remove()
    }

    say('the same of the peers, with one route in place')
    const given = await givenFor(backend.port, say)
    const [chp, caddy] = [await startChp(given, true), await startCaddy(given)]
    started.push(chp.process, caddy.process)
    const chpTimes = await peerTimes(chp.https ?? 0, (host) => addToChp(chp.api, host, backend.port), quick ? 20 : 200)
    const caddyTimes = await peerTimes(caddy.https ?? 0, (host) => addToCaddy(caddy.api, host, backend.port), quick ? 20 : 200)

    const [few, lots] = [taken.get(100)!, taken.get(many)!]
    const row = (what: string, samples: readonly number[]) => [what, ms(median(samples)), ms(percentile(samples, 0.99))]
    return {
      title: 'From Set to the first served request',
      columns: ['what', 'p50', 'p99'],
      rows: [
        row('zos-gateway, 100 routes in place', few.served),
        row(`zos-gateway, ${count(many)} routes in place`, lots.served),
        row('of that, until the Set was answered', lots.set),
        row('a request of a new client to a name long there', lots.standing),
        row('one fdatasync of this disk, beside it', lots.sync),
        row('configurable-http-proxy, not durable', chpTimes),
        row('Caddy, not durable', caddyTimes),
      ],
      targets: [
        {
          what: `p99 at ${count(many)} routes, above the p99 of one fdatasync`,
          value: percentile(lots.served, 0.99) - percentile(lots.sync, 0.99),
          most: 3,
          unit: 'ms',
        },
      ],
      notes: [
        'A Set over the HTTP API on the unix socket, safe against power loss; then a new TLS connection with a full handshake and a GET, both in these times.',
        'Set, standing request and fdatasync take turns, so that all see the same machine.',
      ],
    }
  } finally {
    for (const one of started.toReversed()) await one.stop()
  }
}

const sample = async (gateway: GatewayProcess, backend: string, times: number): Promise<Samples> => {
  const calls = api(join(gateway.root, 'gateway.sock'))
  const probe = await syncProbe(gateway.root)
  const samples: Samples = { served: [], set: [], standing: [], sync: [] }
  const warmUp = Math.min(200, times / 4)
  for (let n = -warmUp; n < times; n++) {
    const name = n < 0 ? `x${-n}` : `s${n}`
    const began = performance.now()
    await calls.set(`42-${name}-bench`, name, backend)
    const answered = performance.now()
    const status = await getOnce(gateway.https, `${name}.${domain}`)
    const served = performance.now()
    if (status !== 200) throw new Error(`${name} answered ${status} after its Set`)
    await getOnce(gateway.https, `w${(n + warmUp) % 100}.${domain}`)
    const standing = performance.now() - served
    const sync = await probe.once()
    if (n < 0) continue
    samples.served.push(served - began)
    samples.set.push(answered - began)
    samples.standing.push(standing)
    samples.sync.push(sync)
  }
  calls.close()
  await probe.close()
  return samples
}

const peerTimes = async (port: number, add: (host: string) => Promise<void>, times: number): Promise<readonly number[]> => {
  const samples: number[] = []
  for (let n = 0; n < times; n++) {
    const host = `p${n}.${domain}`
    const began = performance.now()
    await add(host)
    // One of them answers that it has the route before it serves it.
    for (let tries = 0; (await getOnce(port, host).catch(() => 0)) !== 200; tries++)
      if (tries > 1_000) throw new Error(`${host} is not served`)
    samples.push(performance.now() - began)
  }
  return samples
}
