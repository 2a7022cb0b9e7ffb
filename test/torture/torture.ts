import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { endKept, keptChildren } from '../kit/kept.ts'
import { freePort } from '../kit/port.ts'
import { startRedis } from '../kit/redis.ts'
import { tempRoot } from '../kit/root.ts'
import type { Caller, Run } from './caller.ts'
import { configText, type EngineName } from './config.ts'
import { allWorkloads, httpCaller } from './http-caller.ts'
import { Model } from './model.ts'
import { domain, pick, random } from './operation.ts'
import { power } from './power.ts'
import { servedWrong, startBackends } from './served.ts'
import { zbusCaller } from './zbus-caller.ts'

export interface Options {
  /** How many times something is ended by SIGKILL: mostly the gateway; every fifth time Redis or a program that the gateway runs. */
  readonly kills: number
  readonly seed: number
  readonly say?: (line: string) => void
  /** Callers over zbus and over the HTTP API. */
  readonly callers?: { readonly zbus: number; readonly http: number }
  /** With `traefik` Traefik, its relay and dnsmasq are killed too. Default `embedded`. */
  readonly engine?: EngineName
  /** Each kill of the gateway is a power cut: what was not synced is gone. */
  readonly powerCuts?: boolean
  /** What the store promises; with `process` a power cut may lose what was acknowledged. Default `power`. */
  readonly durability?: 'power' | 'process'
}
export interface Report {
  /** By what was killed. */
  readonly kills: Readonly<Record<string, number>>
  readonly answered: number
  /** Answers that came later than Go callers wait, with nothing killed meanwhile, and operations whose deadline was over. */
  readonly late: number
  readonly timedOut: number
  /** Workloads compared with the model, summed over all comparisons. */
  readonly compared: number
  /** Hosts asked for behind a comparison: those that had to reach the right backend, and those that had to reach none. */
  readonly served: number
  readonly gone: number
  /** Bytes that power cuts took from files. */
  readonly lost: number
  /** Milliseconds from the start of a gateway until it was ready, the longest. */
  readonly slowestStart: number
  readonly violations: readonly string[]
}

/** What a gateway with Traefik runs. */
const children = ['traefik', 'traefik-relay', 'dnsmasq']
const backendCount = 4
const idsEach = 5

/**
 * Random Sets, changes and Deletes from many callers while the gateway, Redis and what it runs are killed again and again, compared with
 * a model: no acknowledged operation missing, no deleted route back, no request answered twice differently, order per workload kept.
 */
export const torture = async (options: Options): Promise<Report> => {
  const { kills, seed, say = () => undefined, callers = { zbus: 16, http: 4 }, durability = 'power', engine } = options
  const chance = random(seed)
  const folder = tempRoot('torture')
  const root = join(folder.path, 'root')
  const redis = await startRedis({ args: ['--appendfsync', 'always'] })
  const backends = await startBackends(backendCount)
  const [http, https, api, relay, dns] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const socket = join(root, 'gateway.sock')
  const config = join(folder.path, 'gateway.config.mts')
  writeFileSync(config, configText({ http, https, api, relay, dns }, redis.broker.unix, durability, engine))
  const mains = options.powerCuts ? power(folder.path) : undefined
  const start = () =>
    gatewayProcess(['--root', root, '--config', config], { cwd: folder.path, env: { ...process.env, ...mains?.env } })

  const model = new Model()
  const violations: string[] = []
  const violated = (what: string) => {
    violations.push(what)
    if (violations.length <= 50) say(what)
  }
  const killed: Record<string, number> = {}
  let [compared, served, gone, lost, slowestStart, late, timedOut] = [0, 0, 0, 0, 0, 0, 0]
  let killing = false
  const run = {
    ...{ chance, backends: backends.urls, model, violated },
    disturbed: () => killing,
    late: () => late++,
    timedOut: () => timedOut++,
  }
  const enlist = (kind: string, count: number, make: (run: Run) => Caller) =>
    Array.from({ length: count }, (_, n) =>
      make({ ...run, ids: Array.from({ length: idsEach }, (_, place) => `${n + 1}-${place + 1}-${kind}`) }),
    )
  const all = [
    ...enlist('zbus', callers.zbus, (run) => zbusCaller({ ...run, path: redis.path })),
    ...enlist('http', callers.http, (run) => httpCaller({ ...run, socket })),
  ]

  let gateway = start()
  const ready = async () => {
    const began = performance.now()
    await gateway.until('is up')
    slowestStart = Math.max(slowestStart, performance.now() - began)
  }
  /** Every caller goes on until told to stop, then ends its round. */
  const underLoad = async (work: () => Promise<void>) => {
    let running = true
    const loops = all.map(async (caller) => {
      while (running) await caller.turn()
    })
    try {
      await work()
    } finally {
      running = false
    }
    await Promise.all(loops)
  }
  const killGateway = async () => {
    gateway.signal('SIGKILL')
    await gateway.ended
    lost += mains?.cut(root) ?? 0
  }
  /** One that the gateway runs, or Redis. They are started again by who runs them. */
  const killNeighbour = async (): Promise<string> => {
    const victim = pick(chance, engine === 'traefik' ? ['redis', ...children] : ['redis'])
    const pid = keptChildren(root).get(victim)
    if (victim === 'redis') await redis.restart('SIGKILL')
    // One that is just being started is spared.
    else if (pid === undefined) return 'nothing'
    else process.kill(pid, 'SIGKILL')
    return victim
  }
  const killOne = async () => {
    await wait(20 + chance() * 800)
    const victim = chance() < 0.2 ? await killNeighbour() : 'gateway'
    killed[victim] = (killed[victim] ?? 0) + 1
    if (victim !== 'gateway') return
    await killGateway()
    gateway = start()
    // Some are killed while they start and replay.
    if (chance() < 0.2) await wait(chance() * 500)
    else await ready()
  }
  /** What was killed last is there again. */
  const runs = async (name: string) => {
    for (const until = performance.now() + 60_000; !keptChildren(root).has(name); await wait(50))
      if (performance.now() > until) return violated(`${name} does not run a minute after the last kill`)
  }
  const compare = async () => {
    const there = await allWorkloads(socket)
    compared += new Set([...model.ids, ...there.keys()]).size
    for (const { id, what, expected, seen } of model.settle(there))
      violated(`${id} ${what}: ${JSON.stringify(seen)}, not one of ${JSON.stringify(expected)}`)
    const hosts = new Set<string>()
    for (const [id, state] of there) {
      if (!state) continue
      served++
      hosts.add(state.host)
      const wrong = await servedWrong(https, state.host, (answer) => state.backends.includes(answer))
      if (wrong !== undefined) violated(`${id} is served by ${wrong}, not by ${state.backends}`)
    }
    for (const id of model.ids) {
      const host = `own-${id}.${domain}`
      if (hosts.has(host)) continue
      gone++
      const wrong = await servedWrong(https, host, (answer) => !backends.urls.includes(answer))
      if (wrong !== undefined) violated(`${id} has no host ${host}, and ${wrong} serves it`)
    }
  }

  try {
    await ready()
    for (let done = 0; done < kills; ) {
      const round = Math.min(10, kills - done)
      await underLoad(async () => {
        killing = true
        for (let n = 0; n < round; n++) await killOne()
        await ready()
        killing = false
      })
      await compare()
      done += round
      say(`${done} of ${kills} kills, ${violations.length} violations, ${late} late, ${timedOut} timed out`)
    }
    if (engine === 'traefik') for (const name of children) await runs(name)
    for (const caller of all) await caller.close()
    const answered = all.reduce((sum, caller) => sum + caller.answered(), 0)
    const figures = { answered, late, timedOut, compared, served, gone, lost, slowestStart: Math.round(slowestStart) }
    return { kills: killed, ...figures, violations }
  } finally {
    await Promise.allSettled(all.map((caller) => caller.close()))
    await killGateway()
    await endKept(root)
    await redis.close()
    backends.close()
    await folder.remove()
  }
}
