import { writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { freePort } from '../kit/port.ts'
import { startRedis } from '../kit/redis.ts'
import { tempRoot } from '../kit/root.ts'
import type { Caller, Run } from './caller.ts'
import { allWorkloads, httpCaller } from './http-caller.ts'
import { Model, type State } from './model.ts'
import { domain, random } from './operation.ts'
import { power } from './power.ts'
import { zbusCaller } from './zbus-caller.ts'

export interface Options {
  /** How many times the gateway is ended by SIGKILL; every tenth time Redis is too. */
  readonly kills: number
  readonly seed: number
  readonly say?: (line: string) => void
  /** Callers over zbus and over the HTTP API. */
  readonly callers?: { readonly zbus: number; readonly http: number }
  /** Each kill is a power cut: what was not synced is gone. */
  readonly powerCuts?: boolean
  /** What the store promises; with `process` a power cut may lose what was acknowledged. Default `power`. */
  readonly durability?: 'power' | 'process'
}
export interface Report {
  readonly kills: number
  readonly redisKills: number
  readonly answered: number
  /** Workloads compared with the model, summed over all comparisons. */
  readonly compared: number
  /** Requests over the port of the proxy, behind a comparison, that had to reach the right backend. */
  readonly served: number
  /** Bytes that power cuts took from files. */
  readonly lost: number
  /** Milliseconds from the start of a gateway until it was ready, the longest. */
  readonly slowestStart: number
  readonly violations: readonly string[]
}

const backendCount = 4
const idsEach = 5

/**
 * Random Sets, changes and Deletes from many callers while the gateway is killed again and again, compared with a model: no
 * acknowledged operation missing, no deleted route back, no request answered twice differently, order per workload kept.
 */
export const torture = async (options: Options): Promise<Report> => {
  const { kills, seed, say = () => undefined, callers = { zbus: 16, http: 4 }, durability = 'power' } = options
  const chance = random(seed)
  const folder = tempRoot('torture')
  const redis = await startRedis({ args: ['--appendfsync', 'always'] })
  const backends = await startBackends()
  const http = await freePort()
  const socket = join(folder.path, 'root/gateway.sock')
  const config = join(folder.path, 'gateway.config.mts')
  writeFileSync(config, configText(http, redis.broker.unix, durability))
  const mains = options.powerCuts ? power(folder.path) : undefined
  const start = () =>
    gatewayProcess(['--root', join(folder.path, 'root'), '--config', config], {
      cwd: folder.path,
      env: { ...process.env, ...mains?.env },
    })

  const model = new Model()
  const violations: string[] = []
  const violated = (what: string) => {
    violations.push(what)
    if (violations.length <= 50) say(what)
  }
  let killing = false
  const disturbed = () => killing
  const all: Caller[] = []
  const enlist = (kind: string, count: number, make: (run: Run) => Caller) => {
    for (let n = 0; n < count; n++) {
      const ids = Array.from({ length: idsEach }, (_, place) => `${n + 1}-${place + 1}-${kind}`)
      all.push(make({ chance, ids, backends: backends.urls, model, violated, disturbed }))
    }
  }
  enlist('zbus', callers.zbus, (run) => zbusCaller({ ...run, path: redis.path }))
  enlist('http', callers.http, (run) => httpCaller({ ...run, socket }))

  let [compared, served, lost, slowestStart, redisKills] = [0, 0, 0, 0, 0]
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
  const kill = async () => {
    gateway.signal('SIGKILL')
    await gateway.ended
    lost += mains?.cut(join(folder.path, 'root')) ?? 0
  }
  const compare = async () => {
    const there = await allWorkloads(socket)
    compared += new Set([...model.ids, ...there.keys()]).size
    for (const { id, what, expected, seen } of model.settle(there))
      violated(`${id} ${what}: ${JSON.stringify(seen)}, not one of ${JSON.stringify(expected)}`)
    for (const [id, state] of there) {
      served++
      const answer = await whoServes(http, state)
      if (!state?.backends.includes(answer)) violated(`${id} is served by ${answer}, not by ${state?.backends}`)
    }
  }

  try {
    await ready()
    for (let done = 0; done < kills; ) {
      const round = Math.min(10, kills - done)
      await underLoad(async () => {
        killing = true
        for (let n = 0; n < round; n++) {
          await wait(20 + chance() * 800)
          await kill()
          gateway = start()
          // Some are killed while they start and replay.
          if (chance() < 0.2) await wait(chance() * 500)
          else await ready()
        }
        await ready()
        killing = false
      })
      await compare()
      // Redis is killed between requests: what it loses of one under way is its own. What it has acknowledged it has again.
      await redis.restart('SIGKILL')
      redisKills++
      done += round
      say(`${done} of ${kills} kills, ${violations.length} violations`)
    }
    for (const caller of all) await caller.close()
    return {
      kills,
      redisKills,
      answered: all.reduce((sum, caller) => sum + caller.answered(), 0),
      compared,
      served,
      lost,
      slowestStart: Math.round(slowestStart),
      violations,
    }
  } finally {
    await Promise.allSettled(all.map((caller) => caller.close()))
    await kill()
    await redis.close()
    backends.close()
    await folder.remove()
  }
}

/** Each answers with its own address. */
const startBackends = async () => {
  const servers = await Promise.all(
    Array.from({ length: backendCount }, async () => {
      const server = createServer((asked, answer) => answer.end(`http://127.0.0.1:${asked.socket.localPort}`))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: () => {
      for (const server of servers) server.closeAllConnections()
      for (const server of servers) server.close()
    },
  }
}

/** The text that a request to the host gets. */
const whoServes = (port: number, state: State) =>
  new Promise<string>((resolve) => {
    const asked = get(
      { port, host: '127.0.0.1', headers: { host: state?.host ?? '' }, agent: false, timeout: 10_000 },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve(text))
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer in 10 s')))
    asked.on('error', (error) => resolve(error.message))
  })

/** A gateway with the embedded engine on port `http`, in the clear; `broker` empty: without zbus. */
export const configText = (http: number, broker: string, durability: string) => `
import { defineGateway } from 'zos-gateway'
import { backends, embedded, fqdnProxy, httpApi, level, localCa, nameProxy, staticNode, traffic, zbus } from 'zos-gateway/plugins'
export default defineGateway({
  plugins: [
    staticNode({ domain: '${domain}', ipv4: '198.51.100.7' }),
    fqdnProxy(),
    nameProxy(),
    localCa(),
    backends({ allow: ['127.0.0.0/8'] }),
    level({ durability: '${durability}' }),
    embedded({ http: { host: '127.0.0.1', port: ${http}, redirect: false }, https: { host: '127.0.0.1', port: 0 } }),
    traffic(),
    ${broker && `zbus({ broker: '${broker}' }),`}
    httpApi({ tcp: false }),
  ],
})
`
