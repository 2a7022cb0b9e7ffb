import { setTimeout as wait } from 'node:timers/promises'
import { type Core, reason, type Supervised, type Supervisor } from '../../../core/index.ts'
import { connectionsOf } from './connections.ts'
import { unavailable } from './network.ts'
import { type Settings, serviceOf, type Unit } from './unit.ts'

export interface Bridge {
  readonly unit: Unit
  readonly supervised: Supervised
}

/** So many ports are tried where others hold them. */
const tries = 8
/** Milliseconds that a bridge has to be up for a Set. */
const patience = 12_000

/** The Go module's words. */
const unbridged = (network: string, why: string, fix: string) =>
  unavailable(network, `failed to ensure local gateway: ${why}`, fix)

/** Runs nncs, each on a port of its own. */
export const openBridges = (supervisor: Supervisor, settings: Settings, log: Core['log']) => {
  const [first, last] = settings.ports
  const ports = new Set<number>()
  const leaving = new Map<Bridge, AbortController>()
  /** Those that are being stopped, or were. */
  const ended = new WeakSet<Bridge>()

  /** Nobody else of this gateway gets it until its nnc is stopped; whether a stranger has it nnc finds out. */
  const takePort = (network: string): number => {
    const count = last - first + 1
    for (let at = Math.floor(Math.random() * count), left = count; left > 0; at++, left--) {
      const port = first + (at % count)
      if (ports.has(port)) continue
      ports.add(port)
      return port
    }
    throw unbridged(network, `all ports from ${first} to ${last} are in use`, 'give nnc() more ports')
  }

  const run = async (unit: Unit, onExit: (why: string) => void = () => undefined): Promise<Bridge> => {
    let supervised: Supervised | undefined
    ports.add(unit.port)
    supervised = await supervisor.run({ ...serviceOf(unit, settings, () => supervised?.status().pid), onExit })
    return { unit, supervised }
  }
  const stop = async (bridge: Bridge): Promise<void> => {
    const { unit, supervised } = bridge
    ended.add(bridge)
    await supervised.stop().catch((error) => log(`${unit.name} is not stopped: ${reason(error)}`))
    ports.delete(unit.port)
  }
  /** Why it is not up; `undefined` where it is. */
  const failure = async (bridge: Bridge, ended: Promise<string>, signal: AbortSignal): Promise<string | undefined> => {
    const { supervised } = bridge
    const over = new AbortController()
    const late = wait(patience, undefined, { signal: AbortSignal.any([signal, over.signal]), ref: false }).then(
      () => supervised.status().lastError ?? 'nnc does not get there',
      () => 'nobody waits for it any more',
    )
    try {
      return await Promise.race([supervised.ready.then(() => undefined, reason), ended, late])
    } finally {
      over.abort()
    }
  }

  return {
    run,
    stop,
    takePort,
    /** Runs it until it bridges, on another port where a stranger has this one. Rejects with NETWORK_UNAVAILABLE, having stopped it. */
    async start(wanted: Unit, network: string, signal: AbortSignal): Promise<Bridge> {
      const tried: number[] = []
      let unit = wanted
      try {
        while (true) {
          const ended = Promise.withResolvers<string>()
          const bridge = await run(unit, ended.resolve).catch((error) => {
            ports.delete(unit.port)
            throw unbridged(network, reason(error), 'see that the program is there')
          })
          const why = await failure(bridge, ended.promise, signal)
          if (why === undefined) return bridge
          await stop(bridge)
          signal.throwIfAborted()
          // Taken until another one is found: it would be tried again.
          ports.add(unit.port)
          tried.push(unit.port)
          if (tried.length === tries || !/in use/i.test(why))
            throw unbridged(network, why, 'see that the network is up on this node, and what gateway status says of nnc')
          unit = { ...unit, port: takePort(network) }
        }
      } finally {
        for (const port of tried) ports.delete(port)
      }
    },
    isUp: (bridge: Bridge): boolean => !ended.has(bridge) && bridge.supervised.status().state === 'up',

    /** Ends it when nothing goes through it any more, or behind the time for that. */
    retire(bridge: Bridge, gone: () => void): void {
      const kept = new AbortController()
      leaving.set(bridge, kept)
      const until = performance.now() + settings.drain
      const drain = async () => {
        const goes = () => leaving.get(bridge) === kept
        while (goes() && performance.now() < until && connectionsOf(bridge.supervised.status().pid ?? 0) > 0)
          await wait(250, undefined, { signal: kept.signal, ref: false }).catch(() => undefined)
        if (!goes()) return
        leaving.delete(bridge)
        await stop(bridge)
        gone()
      }
      void drain()
    },
    /** Has one that was to go stay. Returns whether it was to. */
    stay(bridge: Bridge): boolean {
      const kept = leaving.get(bridge)
      kept?.abort()
      return leaving.delete(bridge)
    },
    isLeaving: (bridge: Bridge): boolean => leaving.has(bridge),
    /** Ends at once what was to go. */
    async close(): Promise<void> {
      const all = [...leaving.keys()]
      leaving.clear()
      await Promise.all(all.map(stop))
    },
  }
}
