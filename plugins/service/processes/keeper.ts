import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError, reason, type Service, type Supervised } from '../../../core/index.ts'
import { comesUp } from '../../../lib/readiness.ts'
import type { Child } from './child.ts'
import { lastLine } from './log-file.ts'

type Status = ReturnType<Supervised['status']>

/** Seconds: the wait after the first failure, which doubles up to `most`, and begins anew once the child was up for `stable`. */
export interface Backoff {
  readonly first: number
  readonly most: number
  readonly stable: number
}
export interface Keeper {
  readonly service: Service
  status(): Status
  /** Settles as the child that runs or is tried now does; `patient`: tried until it is up or stopped. */
  up(patient: boolean): Promise<void>
  /** From here on it is this service. `afresh`: the child ends and another starts, at once. */
  use(service: Service, afresh: boolean): void
  /** Ends the child, with at most so many seconds for SIGTERM, or leaves it running; nothing is started any more. */
  stop(how: 'end' | 'leave', atMost?: number): Promise<void>
}
interface Waiter {
  readonly patient: boolean
  resolve(): void
  reject(error: Error): void
}

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
}): Keeper => {
  let service = o.service
  let state: Status['state'] = 'starting'
  let child: Child | undefined
  let restarts = 0
  let failures = 0
  let lastError: string | undefined
  let turn = new AbortController()
  let end: 'no' | 'end' | 'leave' = 'no'
  let stopLimit = Number.POSITIVE_INFINITY
  let fell = false
  const waiters = new Set<Waiter>()

  const become = (next: Status['state']) => {
    state = next
    o.changed()
  }
  const settle = (those: (waiter: Waiter) => boolean, how: (waiter: Waiter) => void) => {
    for (const waiter of waiters) {
      if (!those(waiter)) continue
      waiters.delete(waiter)
      how(waiter)
    }
  }

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
      failures++
      lastError = why
      const delay = Math.min(o.backoff().first * 2 ** (failures - 1), o.backoff().most)
      become('backoff')
      const error = new GatewayError('PROCESS_FAILED', `${service.name} ended: ${why}`, `it is tried again after ${delay} s`)
      settle(
        ({ patient }) => !patient,
        (waiter) => waiter.reject(error),
      )
      tell(() => service.onExit?.(why))
      await pause(delay, signal)
      if (signal.aborted) turn = new AbortController()
      else restarts++
    }
    state = 'stopped'
    const error = new GatewayError('STOPPING', `${service.name} was stopped`, 'start the gateway again')
    settle(
      () => true,
      (waiter) => waiter.reject(error),
    )
    if (end === 'end') o.changed()
  }

  const pause = async (seconds: number, signal: AbortSignal) => {
    const until = performance.now() + seconds * 1_000
    const waited = o.waits(service)
    while (!signal.aborted && performance.now() < until && !(waited && !o.waits(service)))
      await sleep(Math.max(1, Math.min(500, until - performance.now())), undefined, { signal }).catch(() => undefined)
  }

  /** From start to end; returns why it ended, which is of no matter where `asked` was aborted. */
  const oneLife = async (given: Child | undefined, asked: AbortSignal): Promise<string> => {
    try {
      become('starting')
      const own = given ?? (await o.start(service))
      child = own
      const gone = new AbortController()
      void own.ended.then(() => gone.abort())
      const through = AbortSignal.any([asked, gone.signal])
      const ready = await comesUp(service, through)
      let why: string | undefined
      if (!through.aborted && ready) {
        become('up')
        settle(
          () => true,
          (waiter) => waiter.resolve(),
        )
        if (fell) tell(() => service.onRestart?.())
        fell = false
        why = await whileUp(own, through)
      } else if (!through.aborted) why = `it was not ready within ${service.startSeconds ?? 30} s`
      if (end !== 'leave' && !gone.signal.aborted) await own.end(Math.min(service.stopSeconds ?? 10, stopLimit))
      if (end === 'leave') own.leave()
      else child = undefined
      if (asked.aborted) return ''
      const line = await lastLine(o.log, own.logged)
      return `${why ?? (await own.ended)}${line && `: ${line}`}`
    } catch (error) {
      return reason(error)
    }
  }

  const whileUp = async (own: Child, through: AbortSignal): Promise<string | undefined> => {
    const since = performance.now()
    let stale: string | undefined
    while (!through.aborted && !stale) {
      await sleep(2_000, undefined, { ref: false, signal: through }).catch(() => undefined)
      if (!through.aborted) stale = o.stale(service, own)
      if (performance.now() - since >= o.backoff().stable * 1000) failures = 0
    }
    return stale
  }

  const running = life(o.child)
  return {
    get service() {
      return service
    },
    status: () => ({ state, restarts, ...(child && { pid: child.pid }), ...(lastError !== undefined && { lastError }) }),
    up: (patient) =>
      new Promise((resolve, reject) => {
        if (state === 'up' && !turn.signal.aborted) resolve()
        else if (state === 'stopped')
          reject(new GatewayError('STOPPING', `${service.name} was stopped`, 'start the gateway again'))
        else waiters.add({ patient, resolve, reject })
      }),
    use: (given, afresh) => {
      service = given
      if (!afresh) return
      failures = 0
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
const tell = (listener: () => void) => {
  try {
    listener()
  } catch {
    // Its own plugin's to see.
  }
}
