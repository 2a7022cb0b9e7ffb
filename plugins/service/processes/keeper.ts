import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError, reason, type Service } from '../../../core/index.ts'
import { comesUp } from '../../../lib/readiness.ts'
import { type Kept, releaseTime, type State } from '../../../lib/supervision/seats.ts'
import { waitersFor } from '../../../lib/supervision/waiters.ts'
import type { Child } from './child.ts'
import { lastLine } from './log-file.ts'

/**
 * Seconds: one that was up is started again at once; where that fails too, after `first`, which doubles up to `most`. All of it begins
 * anew once the child was up for `stable`.
 */
export interface Backoff {
  readonly first: number
  readonly most: number
  readonly stable: number
}
/** Children that drain at once, beside the one that serves. */
const mostDraining = 4

/** Keeps one service alive, beginning with a child that runs, or with trying. */
export const keeper = (o: {
  service: Service
  child: Child | undefined
  log: string
  backoff: () => Backoff
  start: (service: Service) => Promise<Child>
  /** The state is another one. */
  changed: () => void
  /** Why a child that is up is to be replaced, asked now and then. */
  stale: (service: Service, child: Child) => string | undefined
  /** What it needs is not there: it is started as soon as it is. */
  waits: (service: Service) => boolean
}): Kept<Service> => {
  let service = o.service
  let state: State['state'] = 'starting'
  let child: Child | undefined
  let restarts = 0
  let failures = 0
  /** A start at once is due where it was up, and is not repeated before it ran well. */
  let wasUp = false
  let startedAtOnce = false
  let lastError: string | undefined
  let turn = new AbortController()
  let end: 'no' | 'end' | 'leave' = 'no'
  let stopLimit = Number.POSITIVE_INFINITY
  let fell = false
  const waiters = waitersFor()
  /** Told to end, and still at what they have open. */
  const draining = new Map<Child, Promise<void>>()

  const become = (next: State['state']) => {
    state = next
    o.changed()
  }
  const stopped = () => new GatewayError('STOPPING', `${service.name} was stopped`, 'start the gateway again')

  const life = async (first: Child | undefined) => {
    let next: Child | undefined = first
    while (end === 'no') {
      const { signal } = turn
      const why = await oneLife(next, signal)
      next = undefined
      if (signal.aborted) {
        turn = new AbortController()
        continue
      }
      fell = true
      lastError = why
      const delay = nextDelay()
      become('backoff')
      waiters.failed(
        new GatewayError(
          'PROCESS_FAILED',
          `${service.name} ended: ${why}`,
          delay === 0 ? 'it is started again at once' : `it is tried again after ${delay} s`,
        ),
      )
      void tell(() => service.onExit?.(why))
      await pause(delay, signal)
      if (signal.aborted) turn = new AbortController()
      else restarts++
    }
    if (end === 'end') await Promise.all(draining.values())
    for (const old of draining.keys()) old.leave()
    state = 'stopped'
    waiters.stopped(stopped())
    if (end === 'end') o.changed()
  }

  const nextDelay = (): number => {
    const atOnce = wasUp && !startedAtOnce
    wasUp = false
    startedAtOnce ||= atOnce
    if (atOnce) return 0
    failures++
    return Math.min(o.backoff().first * 2 ** (failures - 1), o.backoff().most)
  }
  const ranWell = () => {
    failures = 0
    startedAtOnce = false
  }

  const pause = async (seconds: number, signal: AbortSignal) => {
    const until = performance.now() + seconds * 1_000
    const waited = o.waits(service)
    while (!signal.aborted && performance.now() < until && !(waited && !o.waits(service)))
      await sleep(Math.max(1, Math.min(500, until - performance.now())), undefined, { signal }).catch(() => undefined)
  }

  /** One that fell is started once what it needs is in order; where that is not, the try has failed. */
  const begin = async (asked: AbortSignal): Promise<Child> => {
    if (fell) await service.beforeRestart?.()
    asked.throwIfAborted()
    return o.start(service)
  }

  /** From start to end; returns why it ended, which is of no matter where `asked` was aborted. */
  const oneLife = async (given: Child | undefined, asked: AbortSignal): Promise<string> => {
    try {
      become('starting')
      const own = given ?? (await begin(asked))
      child = own
      const gone = new AbortController()
      void own.ended.then(() => gone.abort())
      const through = AbortSignal.any([asked, gone.signal])
      const ready = await comesUp(service, through)
      let why: string | undefined
      if (!through.aborted && ready) {
        wasUp = true
        become('up')
        waiters.up()
        if (fell) void tell(() => service.onRestart?.())
        fell = false
        why = await whileUp(own, through)
      } else if (!through.aborted) why = `it was not ready within ${service.startSeconds ?? 30} s`
      if (end !== 'leave' && !gone.signal.aborted) await finish(own)
      if (end === 'leave') own.leave()
      else child = undefined
      if (asked.aborted) return ''
      const line = await lastLine(o.log, own.logged)
      return `${why ?? (await own.ended)}${line && `: ${line}`}`
    } catch (error) {
      return reason(error)
    }
  }

  /** Ends a child. One that only drains from here on is not waited for where another one is to take its place. */
  const finish = async (own: Child): Promise<void> => {
    const over = own.end(Math.min(service.stopSeconds ?? 10, stopLimit))
    if (end === 'end' || !service.drains) return over
    while (draining.size >= mostDraining) await Promise.race(draining.values())
    draining.set(
      own,
      over.finally(() => draining.delete(own)),
    )
    await Promise.race([over, sleep(releaseTime, undefined, { ref: false })])
  }

  const whileUp = async (own: Child, through: AbortSignal): Promise<string | undefined> => {
    const since = performance.now()
    let stale: string | undefined
    while (!through.aborted && !stale) {
      await sleep(2_000, undefined, { ref: false, signal: through }).catch(() => undefined)
      if (!through.aborted) stale = o.stale(service, own)
      if (performance.now() - since >= o.backoff().stable * 1000) ranWell()
    }
    return stale
  }

  const running = life(o.child)
  return {
    get service() {
      return service
    },
    status: () => ({ state, restarts, ...(child && { pid: child.pid }), ...(lastError !== undefined && { lastError }) }),
    async up(patient) {
      if (state === 'stopped') throw stopped()
      if (state !== 'up' || turn.signal.aborted) await waiters.wait(patient)
    },
    use: (given, afresh) => {
      service = given
      if (!afresh) return
      ranWell()
      turn.abort()
    },
    stop: (how, atMost = stopLimit) => {
      if (end === 'no') end = how
      stopLimit = atMost
      turn.abort()
      return running
    },
  }
}

/** A listener that throws must not end the keeping. */
const tell = async (listener: () => unknown) => {
  try {
    await listener()
  } catch {
    // Its own plugin's to see.
  }
}
