import type { Core, Service, Supervised, Supervisor } from '../../../core/index.ts'
import { reason } from '../../../core/index.ts'
import { leftChildren } from '../../../lib/child-records.ts'
import { Unreachable, type Zinit } from './client.ts'
import { type Unit, unit } from './unit.ts'
import { checkService, hashOf, started, type UnitFiles } from './unit-file.ts'
import { unitsOf } from './units.ts'

/** The plugin that the desk works for. */
export interface User {
  readonly leftoverSeconds: number
  readonly core: Pick<Core, 'log' | 'health' | 'phase'>
}
/** Who asked for a service; the newest claim of a name is the one that is served. */
interface Claim {
  service: Service
}
interface Seat {
  readonly name: string
  claims: readonly Claim[]
  unit: Unit | undefined
  /** One change of a seat at a time. */
  last: Promise<unknown>
}
/** Seconds that all units together have at the end, which is less than a plugin has to close. */
const closeSeconds = 25

/** All services of one gateway under one zinit, also while a reload has two plugins on it. */
export const openDesk = async (o: { zinit: Zinit; files: UnitFiles; root: string }, first: User) => {
  const { zinit, files, root } = o
  let { leftoverSeconds, core } = first
  /** What `processes()` left running of this root, before this plugin took its place. */
  const children = new Map((await leftChildren(root)).map((child) => [child.name, child]))
  const makeRoom = async (name: string): Promise<void> => {
    const child = children.get(name)
    if (!child) return
    children.delete(name)
    core.log(`${name} is ended, which ran as a child of the gateway before`, { pid: child.pid })
    await child.end()
  }
  const units = unitsOf({ zinit, files, root, makeRoom, log: (...told) => core.log(...told) })
  const seats = new Map<string, Seat>()
  const left = new Set<string>()
  let away: string | undefined

  const seatOf = (name: string): Seat => {
    const seat = seats.get(name) ?? { name, claims: [], unit: undefined, last: Promise.resolve() }
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
    const bad: string[] = away === undefined ? [] : [away]
    for (const [name, { unit: one }] of seats) {
      if (!one) continue
      const { state, pid, restarts, lastError } = one.status()
      facts[name] = [state, pid && `pid ${pid}`, restarts && `${restarts} restarts`].filter(Boolean).join(', ')
      if (state !== 'up' && lastError !== undefined && lastError !== away) bad.push(`${name} is not up: ${lastError}`)
    }
    core.health(bad.length ? 'degraded' : 'ok', bad.length ? bad.join('; ') : undefined, facts)
  }

  /** Makes the seat's unit what its newest claim asks for. Returns whether it ran already. */
  const serve = async (seat: Seat, { service }: Claim): Promise<boolean> => {
    left.delete(service.name)
    const { unit: running } = seat
    if (running) {
      const same = hashOf(running.service) === hashOf(service) && (running.service.keep ?? false) === (service.keep ?? false)
      running.use(service, !same)
      return same
    }
    const before = service.keep === true && (await units.serves(service).catch(() => false))
    seat.unit = unit({ service, zinit, units, changed: tell })
    tell()
    await seat.unit.begun
    return before
  }
  const end = async (seat: Seat, atMost?: number) => {
    await seat.unit?.stop('end', atMost)
    seat.unit = undefined
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
    const holds = () => (seat.claims.at(-1) === claim ? seat.unit : undefined)
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

  /** What a gateway of this root left: what was not to be kept is ended, what was waits for who asks for it. */
  const found = await files.ours().catch((error) => {
    core.log(`the units of before are not known: ${reason(error)}`)
    return []
  })
  for (const { name, keep } of found) if (keep) left.add(name)
  await Promise.all([
    ...found.filter(({ keep }) => !keep).map(({ name }) => units.destroy(name, 5)),
    ...[...children.values()].filter(({ keep }) => !keep).map(({ name }) => makeRoom(name)),
  ])

  let served = 0
  const watch = setInterval(() => {
    void zinit
      .list()
      .then(
        () => undefined,
        (error) => (error instanceof Unreachable ? error.message : undefined),
      )
      .then((now) => {
        if (now === away) return
        away = now
        tell()
      })
    // Counted from the end of the start: until then a plugin that asks for it may be still to come.
    if (core.phase() !== 'ready' || served++ < leftoverSeconds) return
    for (const name of children.keys()) void inTurn(seatOf(name), () => makeRoom(name))
    for (const name of left) {
      left.delete(name)
      core.log(`${name} is ended: it was left running and no plugin asks for it`)
      void inTurn(seatOf(name), async () => (seatOf(name).unit ? undefined : units.destroy(name, 10)))
    }
  }, 1_000).unref()

  const supervisor: Supervisor = {
    run,
    async left(name) {
      const file = seats.get(name)?.unit ? undefined : await files.read(name)
      if (!file || file.mark || !(await zinit.status(name).catch(() => undefined))) return undefined
      return started(file)
    },
  }
  return {
    supervisor,
    use(user: User): void {
      leftoverSeconds = user.leftoverSeconds
      core = user.core
      tell()
    },
    /** Ends the units in reverse of how they came; those to be kept stay, unless it is only the plugin that goes. */
    async close() {
      clearInterval(watch)
      const until = performance.now() + closeSeconds * 1_000
      for (const seat of [...seats.values()].toReversed())
        await inTurn(seat, async () => {
          if (seat.unit?.service.keep && core.phase() !== 'ready') await seat.unit.stop('leave')
          else await end(seat, Math.max(0.5, (until - performance.now()) / 1_000))
        })
      units.close()
    },
  }
}
export type Desk = Awaited<ReturnType<typeof openDesk>>
