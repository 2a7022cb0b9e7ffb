import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { createClient, encode, encodeRequest } from '../lib/zbus/index.ts'
import { startRedis, tempRoot } from '../test/kit/index.ts'
import { ms, percentile, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'

const object = { name: 'gateway', version: '0.0.1' }
const queue = 'gateway.gateway@0.0.1'
/** Operations of the loud tenant that always wait. */
const backlog = 10_000
const quiet = 8

/** How long Sets of quiet tenants take over zbus, alone and while another tenant keeps 10,000 operations queued. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const seconds = quick ? 3 : 20
  const rows: string[][] = []
  const ratios: number[] = []
  for (const share of ['limited', 'unlimited'] as const) {
    const { alone, beside, carried } = await course(share, seconds, say)
    const ratio = percentile(beside, 0.99) / percentile(alone, 0.99)
    ratios.push(ratio)
    const row = (what: string, all: readonly number[], more: string) => [
      share === 'limited' ? 'limits()' : 'none',
      what,
      ms(percentile(all, 0.5)),
      ms(percentile(all, 0.99)),
      more,
    ]
    rows.push(
      row('alone', alone, ''),
      row('beside the loud one', beside, `${times(ratio)}, ${Math.round(carried / seconds)} ops/s of it`),
    )
  }
  return {
    title: `Sets of ${quiet} quiet tenants over zbus while another keeps ${backlog} operations queued`,
    columns: ['limits', 'quiet tenants', 'p50', 'p99', 'p99 of alone, and what the loud one gets'],
    rows,
    targets: [
      {
        what: 'p99 of quiet tenants beside a loud one, of their p99 alone, with limits()',
        value: ratios[0] ?? Number.NaN,
        most: 2,
      },
    ],
    notes: [
      `Each quiet tenant sets a new workload, waits for the answer, and rests 20 ms, for ${seconds} s each way; durable against a power cut. The loud one has spent its burst before.`,
    ],
  }
}

const course = async (share: string, seconds: number, say: Options['say']) => {
  const redis = await startRedis()
  const root = tempRoot('bench')
  const script = fileURLToPath(new URL('fair/gateway.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', script, redis.broker.unix, root.path, share], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const client = new Redis({ path: redis.path, protocol: 2 })
  try {
    await once(createInterface(child.stdout), 'line')
    say(`${share}: warming up`)
    await sets(redis.broker.unix, 2, 100)
    say(`${share}: quiet tenants alone`)
    const alone = await sets(redis.broker.unix, seconds, 200)
    say(`${share}: beside a loud one`)
    const loud = noise(client)
    try {
      await loud.full
      const before = loud.answered()
      const beside = await sets(redis.broker.unix, seconds, 300)
      return { alone, beside, carried: loud.answered() - before }
    } finally {
      await loud.stop()
    }
  } finally {
    client.disconnect()
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await redis.close()
    await root.remove()
  }
}

let made = 0
/** Of tenants from `first` on: others each time, so that none comes to its limit of routes. */
const sets = async (broker: string, seconds: number, first: number): Promise<readonly number[]> => {
  const took: number[] = []
  const until = performance.now() + seconds * 1_000
  const tenant = async (twin: number) => {
    const client = createClient({ broker })
    while (performance.now() < until) {
      const n = ++made
      const began = performance.now()
      await client.call('gateway', object, 'SetFQDNProxy', [`${twin}-${n}-q`, `q${n}.example.net`, ['10.0.0.1:443'], true], {
        timeout: 60_000,
      })
      took.push(performance.now() - began)
      await pause(20)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: quiet }, (_, n) => tenant(first + n)))
  return took
}

/** Keeps the backlog of one tenant filled: Sets and Deletes of a few hundred workloads. */
const noise = (client: Redis) => {
  let sent = 0
  let answered = 0
  let stopped = false
  const payload = () => {
    const n = sent++
    const id = `7-${n % 500}-loud`
    const [method, inputs] =
      Math.floor(n / 500) % 2 === 0
        ? ['SetFQDNProxy', [id, `l${n % 500}.example.net`, ['10.0.0.1:443'], true]]
        : ['DeleteNamedProxy', [id]]
    return Buffer.from(
      encodeRequest({ id: `n${n}`, inputs: (inputs as unknown[]).map(encode), object, replyTo: 'loud', method: String(method) }),
    )
  }
  const full = Promise.withResolvers<void>()
  const run = async () => {
    while (!stopped) {
      answered += await client.llen('loud')
      await client.del('loud')
      const missing = backlog - (sent - answered)
      if (missing > 0) await client.rpush(queue, ...Array.from({ length: Math.min(missing, 1_000) }, payload))
      // Past its burst, in the steady state.
      if (answered > 1_200) full.resolve()
      await pause(20)
    }
  }
  const running = run().catch(full.reject)
  return {
    full: full.promise,
    answered: () => answered,
    stop: async () => {
      stopped = true
      await running
    },
  }
}
