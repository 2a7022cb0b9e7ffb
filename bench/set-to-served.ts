import { join } from 'node:path'
import { startBackend } from './parts/backend.ts'
import { clock, type Samples } from './parts/clock.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { count, median, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { seededRoot } from './parts/seed.ts'
import { addingToCaddy, startCaddy } from './peers/caddy.ts'
import { addingToChp, startChp } from './peers/chp.ts'
import { givenFor } from './peers/given.ts'
import type { Adding, Peer } from './peers/peer.ts'

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
      taken.set(size, await ofGateway(gateway, backend.url, times, say).finally(gateway.stop))
      await root.remove()
    }

    say('the same of the peers, with one route in place')
    const given = await givenFor(backend.port, say)
    const [chp, caddy] = [await startChp(given, true), await startCaddy(given)]
    started.push(chp.process, caddy.process)
    const few = quick ? 20 : 200
    const ofPeer = (peer: Peer, add: Adding) =>
      clock({ ...add, port: peer.https ?? 0, host: `{n}.${domain}`, warmUp: few / 4, times: few }, say)
    const chpTimes = await ofPeer(chp, addingToChp(chp.api, `{n}.${domain}`, backend.port))
    const caddyTimes = await ofPeer(caddy, addingToCaddy(caddy.api, `{n}.${domain}`, backend.port))

    const [some, lots] = [taken.get(100)!, taken.get(many)!]
    const row = (what: string, samples: readonly number[]) => [what, ms(median(samples)), ms(percentile(samples, 0.99))]
    return {
      title: 'From Set to the first served request',
      columns: ['what', 'p50', 'p99'],
      rows: [
        row('zos-gateway, 100 routes in place, open connection', some.kept ?? []),
        row(`zos-gateway, ${count(many)} routes in place, open connection`, lots.kept ?? []),
        row('of that, until the Set was answered', lots.set),
        row('one fdatasync of this disk, beside it', lots.sync),
        row('zos-gateway, 100 routes in place, new client', some.fresh),
        row(`zos-gateway, ${count(many)} routes in place, new client`, lots.fresh),
        row('a new client to a name long there', lots.standing),
        row('configurable-http-proxy, not durable, new client', chpTimes.fresh),
        row('Caddy, not durable, new client', caddyTimes.fresh),
      ],
      targets: [
        {
          what: `p99 at ${count(many)} routes, above the p99 of one fdatasync`,
          value: percentile(lots.kept ?? [], 0.99) - percentile(lots.sync, 0.99),
          most: 3,
          unit: 'ms',
        },
      ],
      notes: [
        'A Set over the HTTP API on the unix socket, safe against power loss, then a GET, both in these times. By turns the GET goes over a connection in the clear that is open already, or is that of a new client with a full TLS handshake. The target is for the first: the handshake costs what the row of the name long there tells.',
        'Set, standing request and fdatasync take turns, so that all see the same machine. The caller and client is a Go program.',
      ],
    }
  } finally {
    for (const one of started.toReversed()) await one.stop()
  }
}

const ofGateway = (gateway: GatewayProcess, backend: string, times: number, say: Options['say']): Promise<Samples> =>
  clock(
    {
      method: 'PUT',
      url: 'http://gateway/v1/workloads/42-{n}-bench',
      body: JSON.stringify({ name: '{n}', backends: [backend] }),
      headers: { 'content-type': 'application/json' },
      socket: join(gateway.root, 'gateway.sock'),
      port: gateway.https,
      plain: gateway.http,
      host: `{n}.${domain}`,
      standing: `w{n}.${domain}`,
      folder: gateway.root,
      warmUp: times / 4,
      times,
    },
    say,
  )
