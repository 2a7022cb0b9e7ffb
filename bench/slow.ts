import { once } from 'node:events'
import { Agent, get } from 'node:https'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { tempRoot } from '../test/kit/root.ts'
import { startBackend } from './parts/backend.ts'
import { api } from './parts/client.ts'
import { domain, type GatewayProcess, startGateway } from './parts/gateway.ts'
import { lagOf } from './parts/lag.ts'
import { count, digits, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { residentBytes } from './parts/proc.ts'
import { run } from './parts/process.ts'

const host = `old.${domain}`
/** What the clients of a swarm send, and where. */
const kinds = {
  nothing: { what: 'nothing', port: 'https', limit: 5 },
  hello: { what: 'half a ClientHello', port: 'https', limit: 5 },
  head: { what: 'half a head, in the clear', port: 'http', limit: 10 },
  'tls-head': { what: 'half a head, over TLS', port: 'https', limit: 10 },
} as const
type Kind = keyof typeof kinds

/** What 10,000 clients that begin and stall do to a gateway with its usual limits, and to a client of another tenant. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const clients = quick ? 1_000 : 10_000
  const root = tempRoot('bench-slow')
  const backend = await startBackend(say)
  const gateway = await startGateway({ root: root.path, say })
  const calls = api(join(gateway.root, 'gateway.sock'))
  try {
    await calls.set('1-1-old', 'old', backend.url)
    const old = oldRoute(gateway.https)
    await beside(old, wait(quick ? 1_000 : 5_000))
    const alone = { ...(await watched(gateway, old, wait(quick ? 2_000 : 10_000))), most: 0, opened: 0, left: 0, longest: 0 }
    const rows: [Kind, typeof alone][] = []
    for (const kind of Object.keys(kinds) as Kind[]) {
      say(`${count(clients)} clients that send ${kinds[kind].what}`)
      const attack = swarm(kind, gateway, clients)
      rows.push([kind, { ...(await watched(gateway, old, attack)), ...(await attack) }])
      // So that none finds what another left.
      await wait(2_000)
    }
    old.close()
    return report(clients, alone, rows)
  } finally {
    calls.close()
    await gateway.stop()
    await backend.stop()
    await root.remove()
  }
}

const swarm = async (kind: Kind, gateway: GatewayProcess, clients: number) => {
  const script = fileURLToPath(new URL('slow/swarm.ts', import.meta.url))
  const port = gateway[kinds[kind].port]
  const out = await run(process.execPath, ['--conditions=source', script, kind, String(port), host, String(clients)])
  const told: { most: number; opened: number; left: number; longest: number } = JSON.parse(out)
  return told
}

/** One client on a connection of its own, which asks, waits for the answer, and rests 5 ms. */
const oldRoute = (port: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  const ask = async (): Promise<number> => {
    const began = performance.now()
    const asked = get({ host: '127.0.0.1', port, servername: host, path: '/64', headers: { host }, agent })
    const [answer] = await once(asked, 'response')
    for await (const _ of answer);
    if (answer.statusCode !== 200) throw new Error(`the old route answered ${answer.statusCode}`)
    return performance.now() - began
  }
  return { ask, close: () => agent.destroy() }
}
type Old = ReturnType<typeof oldRoute>

/** How long its requests take until `work` is done. */
const beside = async (old: Old, work: Promise<unknown>): Promise<number[]> => {
  const state = { over: false }
  const done = work.finally(() => {
    state.over = true
  })
  const took: number[] = []
  while (!state.over) {
    took.push(await old.ask())
    await wait(5)
  }
  await done
  return took
}

const watched = async (gateway: GatewayProcess, old: Old, work: Promise<unknown>) => {
  const socket = join(gateway.root, 'gateway.sock')
  await lagOf(socket)
  const before = residentBytes(gateway.pid)
  let peak = before
  const look = setInterval(() => {
    peak = Math.max(peak, residentBytes(gateway.pid))
  }, 100)
  const took = await beside(old, work)
  clearInterval(look)
  return { took, lag: await lagOf(socket), grew: (peak - before) / 1_048_576 }
}

type Watched = Awaited<ReturnType<typeof watched>> & Awaited<ReturnType<typeof swarm>>
const report = (clients: number, alone: Watched, rows: readonly [Kind, Watched][]): Figure => {
  const cells = (what: string, one: Watched, more: readonly string[]) => [
    what,
    ...more,
    ms(percentile(one.took, 0.5)),
    ms(percentile(one.took, 0.99)),
    ms(one.lag.p99),
    ms(one.lag.most),
    `${digits(one.grew)} MB`,
  ]
  const worst = (of: (one: Watched) => number) => Math.max(...rows.map(([, one]) => of(one)))
  return {
    title: `${count(clients)} clients that begin and stall`,
    columns: ['they send', 'open at once', 'opened in', 'the last gone after', 'p50', 'p99', 'lag p99', 'lag max', 'RSS grew by'],
    rows: [
      cells('nobody', alone, ['', '', '']),
      ...rows.map(([kind, one]) =>
        cells(kinds[kind].what, one, [count(one.most), `${digits(one.opened / 1_000)} s`, `${digits(one.longest / 1_000)} s`]),
      ),
    ],
    targets: [
      { what: 'connections that are still there two minutes after', value: worst(({ left }) => left), most: 0 },
      {
        what: 'the longest life of one, over the limit for it',
        value: Math.max(...rows.map(([kind, { longest }]) => longest / 1_000 / kinds[kind].limit)),
        most: 2,
      },
      { what: 'event-loop lag of the gateway, p99', value: worst(({ lag }) => lag.p99), most: 100, unit: 'ms' },
      { what: 'memory a connection', value: worst(({ grew, most }) => (grew * 1_024) / most), most: 64, unit: 'KiB' },
    ],
    notes: [
      'A gateway with its usual limits, but for those by client address, since all come from one: 5 s for a handshake, 10 s for the head of a request. Those that have begun a head send a byte of it every 2 s. p50 and p99: requests of another tenant over one kept connection, sequential, from before the first of them comes until the last is gone. Lag: how late the event loop of the gateway is, by its own `/metrics`, which looks every 10 ms and is that late itself. Clients, gateway and backend share the processors.',
    ],
  }
}
