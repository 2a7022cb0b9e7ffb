import type { Core, Service, Supervised } from '../../../core/index.ts'
import { openChildren } from './children.ts'
import { checkService, launchOf } from './command.ts'
import { type Backoff, type Keeper, keeper } from './keeper.ts'
import { hashOf } from './record.ts'

export interface Settings {
  readonly backoff: Backoff
  readonly logBytes: number
  readonly leftoverSeconds: number
}

/** The plugin that the desk works for. */
export interface User {
  readonly settings: Settings
  readonly core: Pick<Core, 'log' | 'health' | 'phase'>
}

/** Who asked for a service; the newest claim of a name is the one that is served. */
interface Claim {
  service: Service
}
interface Seat {
  readonly name: string
  claims: readonly Claim[]
  keeper: Keeper | undefined
  /** One change of a seat at a time. */
  last: Promise<unknown>
}
/** Seconds that all children together have at the end, which is less than a plugin has to close. */
const closeSeconds = 25

/** All services of one folder, also while a reload has two plugins on it. */
export const openDesk = async (folder: string, first: User) => {
  let { settings, core } = first
  const children = await openChildren(
    folder,
    () => settings.logBytes,
    (...told) => core.log(...told),
  )
  const seats = new Map<string, Seat>()

  const seatOf = (name: string): Seat => {
    const seat = seats.get(name) ?? { name, claims: [], keeper: undefined, last: Promise.resolve() }
    seats.set(name, seat)
    return seat
  }
  const inTurn = <T>(seat: Seat, work: () => Promise<T>): Promise<T> => {
    const mine = seat.last.then(work)
    seat.last = mine.catch(() => undefined)
    return mine
  }

  const tell = () => {
    const facts: Record<string, string> = {}
    const bad: string[] = []
    for (const [name, { keeper: one }] of seats) {
      if (!one) continue
      const { state, pid, restarts, lastError } = one.status()
      facts[name] = [state, pid && `pid ${pid}`, restarts && `${restarts} restarts`].filter(Boolean).join(', ')
      if (state !== 'up' && lastError !== undefined) bad.push(`${name} is not up: ${lastError}`)
    }
    core.health(bad.length ? 'degraded' : 'ok', bad.length ? bad.join('; ') : undefined, facts)
  }

  /** Makes the seat's child what its newest claim asks for. Returns whether it ran already. */
  const serve = async (seat: Seat, { service }: Claim): Promise<boolean> => {
    const { keeper: running } = seat
    if (running) {
      const same = hashOf(running.service) === hashOf(service) && (running.service.keep ?? false) === (service.keep ?? false)
      if (!same && !children.waits(service)) await launchOf(service, '')
      running.use(service, !same)
      return same
    }
    const before = await children.take(service)
    seat.keeper = keeper({
      service,
      child: before ?? (children.waits(service) ? undefined : await children.start(service)),
      log: children.logOf(service.name),
      backoff: () => settings.backoff,
      start: children.start,
      changed: tell,
      stale: children.isStale,
      waits: children.waits,
    })
    tell()
    return before !== undefined
  }

  const end = async (seat: Seat, atMost?: number) => {
    await seat.keeper?.stop('end', atMost)
    if (seat.keeper) await children.records.drop(seat.name)
    seat.keeper = undefined
    tell()
  }

  const run = async (service: Service): Promise<Supervised> => {
    checkService(service)
    const seat = seatOf(service.name)
    const claim: Claim = { service }
    const adopted = await inTurn(seat, async () => {
      const ran = await serve(seat, claim)
      seat.claims = [...seat.claims, claim]
      return ran
    })
    return supervised(seat, claim, adopted)
  }

  const supervised = (seat: Seat, claim: Claim, adopted: boolean): Supervised => {
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
      stop: () => giveBack(() => end(seat)),
      // A start that fails and a gateway that ends leave it; in a gateway that goes on nobody wants it any more.
      release: () => giveBack(async () => (claim.service.keep && core.phase() !== 'ready' ? undefined : end(seat))),
    }
  }

  let served = 0
  const watch = setInterval(() => {
    void children.tidy(seats.keys())
    // Counted from the end of the start: until then a plugin that asks for it may be still to come.
    if (core.phase() !== 'ready' || served++ < settings.leftoverSeconds) return
    for (const name of children.left.keys()) void inTurn(seatOf(name), () => children.endLeft(name))
  }, 1_000).unref()

  return {
    run,
    use(user: User): void {
      settings = user.settings
      core = user.core
      tell()
    },
    /** Ends the children in reverse of how they came; those to be kept stay, unless it is only the plugin that goes. */
    async close() {
      clearInterval(watch)
      const until = performance.now() + closeSeconds * 1_000
      for (const seat of [...seats.values()].toReversed())
        await inTurn(seat, async () => {
          if (seat.keeper?.service.keep && core.phase() !== 'ready') await seat.keeper.stop('leave')
          else await end(seat, Math.max(0.5, (until - performance.now()) / 1_000))
        })
      await children.records.written()
    },
  }
}
export type Desk = Awaited<ReturnType<typeof openDesk>>
