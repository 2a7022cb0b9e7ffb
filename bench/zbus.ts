import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { buildGo, jsonOf } from '../test/interop/go.ts'
import { startRedis, tempRoot } from '../test/kit/index.ts'

// zbus SetNamedProxy of new workloads: a Go server in the reference's shape (a file each, no sync, one worker) against this gateway, driven
// by the same Go program through the same Redis, on this machine and in this run. Each figure is the median of the rounds.
//
//     node --conditions=source bench/zbus.ts [--rounds 3] [--callers 1,16,64] [--status] [--json]
//
// With --status it is also asked for its status all along, as the health test of a node's unit does, which has 3 s for the answer.

interface Run {
  readonly perSecond: number
  readonly ms: { readonly p50: number; readonly p99: number }
  readonly statusMs?: { readonly p50: number; readonly max: number }
}
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    callers: { type: 'string', default: '1,16,64' },
    status: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const module = new URL('zbus/go/', import.meta.url)
const [server, drive] = [await buildGo(module, 'server'), await buildGo(module, 'drive')]
const redis = await startRedis()
const client = new Redis({ path: redis.path, protocol: 2 })

/** As bin/generation.js has every gateway run. */
const generation = '--max-semi-space-size=4'
const gateway = (durability: string) => (root: string) =>
  [process.execPath, [generation, '--conditions=source', here('zbus/gateway.ts'), redis.broker.unix, root, durability]] as const
const servers = {
  go: (root: string) => [server, ['-broker', redis.broker.unix, '-root', root]] as const,
  power: gateway('power'),
  process: gateway('process'),
}
type Name = keyof typeof servers

/** One server, alone, from its start to its end. */
const measure = async (name: Name, callers: number): Promise<Run> => {
  await client.flushall()
  const root = tempRoot('bench')
  const [command, args] = servers[name](root.path)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(createInterface(child.stdout), 'line')
    // Warm: compiled code is what serves a node for months.
    const [warmup, operations] = name === 'go' ? [500, 3_000] : callers === 1 ? [2_000, 3_000] : [6_000, 12_000]
    const counts = ['-callers', callers, '-operations', operations, '-warmup', warmup].map(String)
    const run = await jsonOf(drive, ['-broker', redis.broker.unix, ...counts, ...(values.status ? ['-status'] : [])])
    return run as Run
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await root.remove()
  }
}

/** Milliseconds that one fdatasync of a short append takes here, at the pace of a single caller: the median of 300. */
const syncTime = async (): Promise<number> => {
  const root = tempRoot('bench')
  const file = await open(join(root.path, 'file'), 'w')
  const took: number[] = []
  for (let n = 0; n < 300; n++) {
    await pause(1)
    await file.write(Buffer.alloc(400))
    const began = performance.now()
    await file.datasync()
    took.push(performance.now() - began)
  }
  await file.close()
  await root.remove()
  return median(took)
}

const runs = new Map<string, Run[]>()
const syncs: number[] = []
const all = values.callers.split(',').map(Number)
for (let round = 0; round < Number(values.rounds); round++) {
  syncs.push(await syncTime())
  for (const callers of all)
    for (const name of ['go', 'power', 'process'] as const) {
      const run = await measure(name, callers)
      const key = `${callers} ${name}`
      runs.set(key, [...(runs.get(key) ?? []), run])
    }
}
client.disconnect()
await redis.close()

const figure = (callers: number, name: Name, of: (run: Run) => number) => median((runs.get(`${callers} ${name}`) ?? []).map(of))
const rows = all.flatMap((callers) =>
  (['go', 'power', 'process'] as const).map((name) => {
    const perSecond = figure(callers, name, (run) => run.perSecond)
    const ratio = perSecond / figure(callers, 'go', (run) => run.perSecond)
    return {
      callers,
      server: name,
      perSecond,
      ratio,
      p50: figure(callers, name, (run) => run.ms.p50),
      p99: figure(callers, name, (run) => run.ms.p99),
      ...(values.status && {
        statusP50: figure(callers, name, (run) => run.statusMs?.p50 ?? Number.NaN),
        statusMax: Math.max(...(runs.get(`${callers} ${name}`) ?? []).map((run) => run.statusMs?.max ?? Number.NaN)),
      }),
    }
  }),
)
const fdatasync = median(syncs)
if (values.json) console.log(JSON.stringify({ fdatasync, rows }))
else {
  console.log(`one fdatasync here: ${fdatasync.toFixed(2)} ms\n\ncallers  server                ops/s  of Go's  p50 ms  p99 ms`)
  const names: Readonly<Record<Name, string>> = { go: 'Go, no sync', power: 'gateway, power cut', process: 'gateway, kill -9' }
  for (const { callers, server, perSecond, ratio, p50, p99, statusP50, statusMax } of rows)
    console.log(
      `${String(callers).padStart(7)}  ${names[server].padEnd(18)} ${perSecond.toFixed(0).padStart(8)} ${ratio.toFixed(2).padStart(8)} ${p50.toFixed(2).padStart(7)} ${p99.toFixed(2).padStart(7)}${values.status ? `  status p50 ${statusP50?.toFixed(2)} ms, at most ${statusMax?.toFixed(2)} ms` : ''}`,
    )
}
