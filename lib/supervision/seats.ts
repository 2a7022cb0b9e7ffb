import { setTimeout as wait } from 'node:timers/promises'
import { inTurn } from '../one-by-one.ts'
import { hashOf, type Startable } from './service.ts'

/** How a service is (`Supervised` of the core). */
export interface State {
  readonly state: 'starting' | 'up' | 'backoff' | 'stopped'
  readonly pid?: number
  readonly restarts: number
  readonly lastError?: string
}
/** What keeps one service alive. */
export interface Kept<S> {
  readonly service: S
  status(): State
  /** Settles as the process that runs or is tried now does; `patient`: tried until it is up or stopped. */
  up(patient: boolean): Promise<void>
  /** From here on it is this service. `afresh`: by another process, at once. */
  use(service: S, afresh: boolean): void
  /** Ends the process, with at most so many seconds for SIGTERM, or leaves it running; nothing is started any more. */
  stop(how: 'end' | 'leave', atMost?: number): Promise<void>
}
/** The gateway that the services are of. */
export interface Host {
  phase(): 'starting' | 'ready' | 'stopping'
  health(state: 'ok' | 'degraded', reason: string | undefined, facts: Readonly<Record<string, string>>): void
}

/** Who asked for a service; the newest claim of a name is the one that is served. */
interface Claim<S> {
  service: S
}
interface Seat<S, K> {
  readonly name: string
  claims: readonly Claim<S>[]
  kept: K | undefined
  /** One change of a seat at a time. */
  readonly inTurn: ReturnType<typeof inTurn>
}
/** Milliseconds that a process has to stop listening before its successor is started beside it. */
export const releaseTime = 150
/** Seconds that all services together have at the end, which is less than a plugin has to close. */
const closeSeconds = 25

/** The services of one supervisor by name, each with those who asked for it. */
export const seatsOf = <S extends Startable, K extends Kept<S>>(o: {
  host: () => Host
  /** Begins to keep a service; whether it ran already, as what it is to be. */
  begin: (service: S) => Promise<{ readonly kept: K; readonly ran: boolean }>
  /** Rejects where a service cannot be put in the place of one that runs. */
  check?: (service: S) => Promise<void>
  /** Behind the end of one that was kept. */
  ended?: (name: string) => Promise<void>
  /** What is wrong with the supervisor itself. */
  trouble?: () => string | undefined
}) => {
  const { begin, check, ended, trouble } = o
  const seats = new Map<string, Seat<S, K>>()
  /** Services without a place here any more that are at what they have open. */
  const draining = new Set<Promise<void>>()

  const seatOf = (name: string): Seat<S, K> => {
    const seat = seats.get(name) ?? { name, claims: [], kept: undefined, inTurn: inTurn() }
    seats.set(name, seat)
    return seat
  }
  const tell = () => {
    const own = trouble?.()
    const facts: Record<string, string> = {}
    const bad: string[] = own === undefined ? [] : [own]
    for (const [name, { kept }] of seats) {
      if (!kept) continue
      const { state, pid, restarts, lastError } = kept.status()
      facts[name] = [state, pid && `pid ${pid}`, restarts && `${restarts} restarts`].filter(Boolean).join(', ')
      if (state !== 'up' && lastError !== undefined && lastError !== own) bad.push(`${name} is not up: ${lastError}`)
    }
    o.host().health(bad.length ? 'degraded' : 'ok', bad.length ? bad.join('; ') : undefined, facts)
  }

  /** Makes the seat's process what its newest claim asks for. Returns whether it ran already. */
  const serve = async (seat: Seat<S, K>, { service }: Claim<S>): Promise<boolean> => {
    const { kept: running } = seat
    if (running) {
      const same = hashOf(running.service) === hashOf(service) && (running.service.keep ?? false) === (service.keep ?? false)
      if (!same) await check?.(service)
      running.use(service, !same)
      return same
    }
    const { kept, ran } = await begin(service)
    seat.kept = kept
    tell()
    return ran
  }
  const end = async (seat: Seat<S, K>, atMost?: number) => {
    await seat.kept?.stop('end', atMost)
    await leave(seat)
  }
  /** Ends the process, but waits only until it listens no more. */
  const drain = async (seat: Seat<S, K>): Promise<{ readonly gone: Promise<void> }> => {
    const gone = seat.kept?.stop('end') ?? Promise.resolve()
    draining.add(gone)
    void gone.finally(() => draining.delete(gone))
    await Promise.race([gone, wait(releaseTime)])
    await leave(seat)
    return { gone }
  }
  const leave = async (seat: Seat<S, K>) => {
    if (seat.kept) await ended?.(seat.name)
    seat.kept = undefined
    tell()
  }

  const supervised = (seat: Seat<S, K>, claim: Claim<S>, adopted: boolean) => {
    const holds = () => (seat.claims.at(-1) === claim ? seat.kept : undefined)
    /** Gives the claim back; the one before it, if any, is served again. */
    const giveBack = (last: () => Promise<void>) =>
      seat.inTurn(async () => {
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
      status: (): State => holds()?.status() ?? { state: 'stopped', restarts: 0 },
      restart: async (changed: Partial<S> = {}): Promise<void> => {
        claim.service = { ...claim.service, ...changed }
        const running = holds()
        running?.use(claim.service, true)
        await running?.up(false)
      },
      stop: () => giveBack(() => end(seat)),
      stopListening: async () => {
        let draining = { gone: Promise.resolve() }
        await giveBack(async () => {
          draining = await drain(seat)
        })
        return draining
      },
      // A start that fails and a gateway that ends leave it; in a gateway that goes on nobody wants it any more.
      release: () => giveBack(async () => (claim.service.keep && o.host().phase() !== 'ready' ? undefined : end(seat))),
    }
  }

  return {
    tell,
    async run(service: S) {
      const seat = seatOf(service.name)
      const claim: Claim<S> = { service }
      const adopted = await seat.inTurn(async () => {
        const ran = await serve(seat, claim)
        seat.claims = [...seat.claims, claim]
        return ran
      })
      return supervised(seat, claim, adopted)
    },
    names: (): Iterable<string> => seats.keys(),
    isKept: (name: string): boolean => seats.get(name)?.kept !== undefined,
    /** Works on what has this name and is of nobody here, in its turn. */
    unlessKept: (name: string, work: () => Promise<void>): Promise<void> =>
      seatOf(name).inTurn(async () => (seatOf(name).kept ? undefined : work())),
    /** Ends the services in reverse of how they came; those to be kept stay, unless it is only the plugin that goes. */
    async close(): Promise<void> {
      const until = performance.now() + closeSeconds * 1_000
      for (const seat of [...seats.values()].toReversed())
        await seat.inTurn(async () => {
          if (seat.kept?.service.keep && o.host().phase() !== 'ready') await seat.kept.stop('leave')
          else await end(seat, Math.max(0.5, (until - performance.now()) / 1_000))
        })
      await Promise.all(draining)
    },
  }
}
