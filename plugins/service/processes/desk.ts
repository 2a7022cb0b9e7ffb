import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Core, reason, type Service, type Supervised } from '../../../core/index.ts'
import { adopt, type Child, start } from './child.ts'
import { launchOf } from './command.ts'
import { type Backoff, type Keeper, keeper } from './keeper.ts'
import { type Leftover, leftovers } from './leftovers.ts'
import { endOf, openLog, shorten } from './log-file.ts'
import { netnsNamed, netnsOf } from './proc.ts'
import { dropRecord, hashOf, writeRecord } from './record.ts'

export interface Settings {
  readonly backoff: Backoff
  readonly logBytes: number
  readonly leftoverSeconds: number
}

/** Who asked for a service; the newest claim of a name is the one that is served. */
interface Claim {
  service: Service
}
interface Seat {
  claims: readonly Claim[]
  keeper: Keeper | undefined
  /** One change of a seat at a time. */
  last: Promise<unknown>
  unclaimed?: NodeJS.Timeout | undefined
}

/** All services of one folder, also while a reload has two plugins on it. */
export const openDesk = async (folder: string, settings: Settings, core: Pick<Core, 'log' | 'health'>) => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const seats = new Map<string, Seat>()
  const left = new Map((await leftovers(folder, core.log)).map((one) => [one.name, one]))
  const logOf = (name: string) => join(folder, `${name}.log`)
  const markOf = (name: string, hash: string, keep: boolean) => `${folder}/${name}:${hash}:${keep ? 'keep' : 'end'}`

  const startChild = async (service: Service): Promise<Child> => {
    const { name, keep = false, stopSeconds = 10, command, args } = service
    const hash = hashOf(service)
    const mark = markOf(name, hash, keep)
    const launch = await launchOf(service, mark, folder)
    await shorten(logOf(name), settings.logBytes)
    const log = await openLog(logOf(name)).catch((error) => void core.log(`${name} runs without a log: ${reason(error)}`))
    try {
      const child = await start(service, launch, mark, log?.fd ?? 'ignore', await endOf(logOf(name)))
      // Where the disk is full the mark in its environment is what the next gateway finds it by.
      if (child.identity)
        await writeRecord(folder, { name, ...child.identity, hash, keep, stopSeconds, command, args }).catch((error) =>
          core.log(`${name} could not be recorded: ${reason(error)}`, { pid: child.pid }),
        )
      return child
    } finally {
      await log?.close()
    }
  }

  /** The child that an earlier gateway left, where it is what is wanted now; one that is not is ended. */
  const takeLeft = async (service: Service): Promise<Child | undefined> => {
    const found = left.get(service.name)
    left.delete(service.name)
    if (!found) return undefined
    const child = adoptLeft(found)
    if (found.keep && service.keep && found.hash === hashOf(service) && !isStale(service, child)) {
      core.log(`${service.name} runs on from before`, { pid: child.pid })
      return child
    }
    core.log(`${service.name} is replaced: it was left with other arguments`, { pid: child.pid })
    await child.end(service.stopSeconds ?? found.stopSeconds)
    return undefined
  }
  const adoptLeft = ({ name, hash, keep, identity }: Leftover) => adopt(identity, markOf(name, hash, keep), 0)

  const isStale = ({ netns }: Service, { pid }: Child): string | undefined => {
    const named = netns === undefined ? undefined : netnsNamed(netns)
    // While there is none of that name there is nowhere to start it anew.
    return named === undefined || netnsOf(pid) === named ? undefined : `the network namespace '${netns}' was made anew`
  }

  const tell = () => {
    const facts: Record<string, string> = {}
    const bad: string[] = []
    for (const [name, { keeper: one }] of seats) {
      if (!one) continue
      const { state, pid, restarts, lastError } = one.status()
      facts[name] = [state, pid && `pid ${pid}`, restarts && `${restarts} restarts`].filter(Boolean).join(', ')
      if (state !== 'up' && lastError !== undefined) bad.push(`${name}: ${lastError}`)
    }
    core.health(bad.length ? 'degraded' : 'ok', bad.length ? bad.join('; ') : undefined, facts)
  }

  const inTurn = <T>(seat: Seat, work: () => Promise<T>): Promise<T> => {
    const mine = seat.last.then(work)
    seat.last = mine.catch(() => undefined)
    return mine
  }

  /** Makes the seat's child what its newest claim asks for. Returns whether it ran already. */
  const serve = async (seat: Seat, { service }: Claim): Promise<boolean> => {
    clearTimeout(seat.unclaimed)
    const { keeper: running } = seat
    if (running) {
      const same = hashOf(running.service) === hashOf(service) && (running.service.keep ?? false) === (service.keep ?? false)
      if (!same) await launchOf(service, '', folder)
      running.use(service, !same)
      return same
    }
    const before = await takeLeft(service)
    const child = before ?? (await startChild(service))
    seat.keeper = keeper({
      service,
      child,
      log: logOf(service.name),
      backoff: settings.backoff,
      start: startChild,
      changed: tell,
      stale: isStale,
    })
    tell()
    return before !== undefined
  }

  const end = async (name: string, seat: Seat) => {
    const { keeper: running } = seat
    seat.keeper = undefined
    clearTimeout(seat.unclaimed)
    await running?.stop(false)
    await dropRecord(folder, name).catch(() => undefined)
    tell()
  }

  const run = async (service: Service): Promise<Supervised> => {
    const { name } = service
    const seat: Seat = seats.get(name) ?? { claims: [], keeper: undefined, last: Promise.resolve() }
    seats.set(name, seat)
    const claim: Claim = { service }
    const adopted = await inTurn(seat, async () => {
      const ran = await serve(seat, claim)
      seat.claims = [...seat.claims, claim]
      return ran
    })
    return supervised(name, seat, claim, adopted)
  }

  const supervised = (name: string, seat: Seat, claim: Claim, adopted: boolean): Supervised => {
    const holds = () => (seat.claims.at(-1) === claim ? seat.keeper : undefined)
    /** Gives the claim back; the one before it, if any, is served again. */
    const giveBack = (last: () => Promise<void>) =>
      inTurn(seat, async () => {
        const held = seat.claims.at(-1) === claim
        const had = seat.claims.includes(claim)
        seat.claims = seat.claims.filter((other) => other !== claim)
        const before = seat.claims.at(-1)
        if (held && before) await serve(seat, before)
        else if (had && !before) await last()
      })
    const ready = holds()?.up(true) ?? Promise.resolve()
    // Whoever does not wait for it must not end the gateway by that.
    ready.catch(() => undefined)
    return {
      adopted,
      ready,
      status: () => holds()?.status() ?? { state: 'stopped', restarts: 0 },
      restart: async (changed = {}) => {
        claim.service = { ...claim.service, ...changed }
        const running = holds()
        running?.use(claim.service, true)
        await running?.up(false)
      },
      stop: () => giveBack(() => end(name, seat)),
      release: () =>
        giveBack(async () => {
          if (!claim.service.keep) return end(name, seat)
          // The gateway may be about to end, and then it stays; where the gateway goes on nobody will want it.
          seat.unclaimed = setTimeout(() => void inTurn(seat, () => end(name, seat)), settings.leftoverSeconds * 1000)
        }),
    }
  }

  const watch = setInterval(() => {
    for (const name of seats.keys()) void shorten(logOf(name), settings.logBytes).catch(() => undefined)
  }, 10_000).unref()
  const unclaimed = setTimeout(() => {
    for (const one of left.values()) {
      core.log(`${one.name} is ended: it was left running and no plugin asks for it`, { pid: one.identity.pid })
      left.delete(one.name)
      void adoptLeft(one)
        .end(one.stopSeconds)
        .then(() => dropRecord(folder, one.name))
        .catch(() => undefined)
    }
  }, settings.leftoverSeconds * 1000).unref()

  return {
    run,
    /** Ends the children in reverse of how they came; those to be kept stay. */
    async close() {
      clearInterval(watch)
      clearTimeout(unclaimed)
      for (const [name, seat] of [...seats].toReversed())
        await inTurn(seat, async () => {
          clearTimeout(seat.unclaimed)
          if (!seat.keeper?.service.keep) return end(name, seat)
          await seat.keeper.stop(true)
        })
    },
  }
}
export type Desk = Awaited<ReturnType<typeof openDesk>>
