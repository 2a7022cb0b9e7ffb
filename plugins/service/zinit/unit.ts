import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError, reason, type Service } from '../../../core/index.ts'
import { missingNetns, netnsNamed, staleNetns } from '../../../lib/netns.ts'
import { type Identity, identify, isAlive } from '../../../lib/process.ts'
import { comesUp } from '../../../lib/readiness.ts'
import type { Kept, State } from '../../../lib/supervision/seats.ts'
import { waitersFor } from '../../../lib/supervision/waiters.ts'
import { type Status, Unreachable, type Zinit } from './client.ts'
import type { Units } from './units.ts'

/** Milliseconds between looks for a process, at one, and at its namespaces, and between tries where zinit or a namespace is not there. */
const pace = { start: 100, look: 200, netns: 2_000, retry: 500 }

/** A unit that is followed. */
export interface Unit extends Kept<Service> {
  /** Resolves when a process was first seen, or it is plain that there is none for now. */
  readonly begun: Promise<void>
}

/** Follows one unit: zinit starts it again by itself whenever it ends; this says how it is, and ends one that is not what it should be. */
export const unit = (o: { service: Service; zinit: Zinit; units: Units; changed: () => void }): Unit => {
  const { zinit, units } = o
  let service = o.service
  let state: State['state'] = 'starting'
  let pid: number | undefined
  let restarts = 0
  let lastError: string | undefined
  let turn = new AbortController()
  let end: 'no' | 'end' | 'leave' = 'no'
  let stopLimit = Number.POSITIVE_INFINITY
  let fell = false
  let afresh = false
  let first = true
  let told = { state: '', at: 0 }
  const waiters = waitersFor()
  const begun = Promise.withResolvers<void>()

  const become = (next: State['state'], why = lastError) => {
    const changed = next !== state || why !== lastError
    state = next
    lastError = why
    if (next === 'backoff') begun.resolve()
    if (changed) o.changed()
  }
  const stopped = () => new GatewayError('STOPPING', `${service.name} was stopped`, 'start the gateway again')

  const life = async () => {
    while (end === 'no') {
      const { signal } = turn
      const why = await oneLife(signal).catch(reason)
      pid = undefined
      if (signal.aborted) {
        turn = new AbortController()
        continue
      }
      fell = true
      restarts++
      become('backoff', why)
      waiters.failed(new GatewayError('PROCESS_FAILED', `${service.name} ended: ${why}`, 'zinit starts it again in 2 s'))
      void tell(() => service.onExit?.(why))
      void prepare()
    }
    if (end === 'end') await units.destroy(service.name, Math.min(service.stopSeconds ?? 10, stopLimit))
    state = 'stopped'
    begun.resolve()
    waiters.stopped(stopped())
    if (end === 'end') o.changed()
  }

  /** zinit starts it whatever comes of this. */
  const prepare = async () => {
    try {
      await service.beforeRestart?.()
    } catch (error) {
      become(state, reason(error))
    }
  }

  /** From a process to its end, of which it returns the reason. */
  const oneLife = async (asked: AbortSignal): Promise<string> => {
    const running = await processOf(asked)
    if (running === undefined) return ''
    if (typeof running === 'string') return running
    const { place } = running
    pid = running.pid
    begun.resolve()
    become('starting')
    const gone = new AbortController()
    const through = AbortSignal.any([asked, gone.signal])
    const watching = watch(running, through, () => gone.abort())
    if (await comesUp(service, through)) {
      become('up')
      waiters.up()
      if (fell) void tell(() => service.onRestart?.())
      fell = false
    } else if (!through.aborted) {
      gone.abort()
      await watching
      await kill(running)
      return `it was not ready within ${service.startSeconds ?? 30} s`
    }
    const stale = await watching
    if (asked.aborted) return ''
    if (stale === undefined) return howItEnded(running.pid)
    await kill({ ...running, place })
    return stale
  }

  /** Resolves when it ended, with nothing, or should end, with the reason. */
  const watch = async (running: Running, signal: AbortSignal, gone: () => void): Promise<string | undefined> => {
    for (let looked = performance.now(); !signal.aborted; ) {
      if (!isAlive(running)) {
        gone()
        return undefined
      }
      if (state === 'up' && performance.now() - looked > pace.netns) {
        const stale = staleNetns(service, running)
        if (stale !== undefined) return stale
        looked = performance.now()
      }
      await sleep(pace.look, undefined, { signal, ref: false }).catch(() => undefined)
    }
    return undefined
  }

  /**
   * The process that zinit runs of it, having made the unit where that is not there or another; how it ended where that was sooner than
   * anybody looked; `undefined` where it was asked for something else.
   */
  const processOf = async (asked: AbortSignal): Promise<Running | string | undefined> => {
    let ensured = false
    while (!asked.aborted) {
      try {
        const missing = missingNetns(service)
        if (missing !== undefined && !ensured) become('backoff', `the network namespace '${missing}' is not there`)
        else {
          if (!ensured) {
            await units.ensure(service, { afresh, first })
            afresh = false
            first = false
          }
          ensured = true
          const place = service.netns === undefined ? undefined : netnsNamed(service.netns)
          const status = await zinit.status(service.name)
          const identity = status && status.pid > 1 ? identify(status.pid) : undefined
          if (identity) return { ...identity, place }
          if (status && isNews(status)) return withLine(readable(status.state))
          await wake(status)
        }
      } catch (error) {
        // Of a zinit that is away nobody knows how the process is.
        if (!(error instanceof Unreachable)) throw error
        ensured = false
        become('backoff', error.message)
      }
      await sleep(ensured ? pace.start : pace.retry, undefined, { signal: asked, ref: false }).catch(() => undefined)
    }
    return undefined
  }
  /** Has zinit go on with a unit that it gave up, or forgot; one that somebody stopped is theirs to start. */
  const wake = async (status: Status | undefined) => {
    if (!status) await zinit.monitor(service.name)
    else if (status.target === 'Down') become('backoff', `it was stopped: zinit start ${service.name}`)
    else if (/^failure/i.test(status.state)) {
      become('backoff', 'zinit could not start it')
      await zinit.start(service.name)
    }
  }
  const kill = async (running: Running): Promise<void> => {
    await units.kill(service.name, running, service.stopSeconds ?? 10)
    // That it ended is no news.
    await howItEnded(running.pid)
  }
  /** zinit keeps for 2 s how the last process ended, until it starts the next. */
  const howItEnded = async (ended: number): Promise<string> => {
    let how = 'it ended, and nobody saw how'
    for (let left = 20; left > 0; left--) {
      const status = await zinit.status(service.name).catch(() => undefined)
      if (status && isNews(status)) how = readable(status.state)
      if (status?.pid !== ended) break
      await sleep(50)
    }
    return withLine(how)
  }
  const withLine = async (how: string): Promise<string> => {
    const line = await zinit.lastLine(service.name)
    return `${how}${line && `: ${line}`}`
  }
  /** Whether it ended, as was not told yet. An end is known by the pid that zinit names with it, a good one by its time. */
  const isNews = ({ pid: now, state: text }: Status): boolean => {
    if (now !== 0 || !/^(error|success)/i.test(text)) return false
    const old = text === told.state && (/pid/i.test(text) || performance.now() - told.at < 1_900)
    if (!old) told = { state: text, at: performance.now() }
    return !old
  }

  const living = life()
  return {
    get service() {
      return service
    },
    begun: begun.promise,
    status: () => ({ state, restarts, ...(pid !== undefined && { pid }), ...(lastError !== undefined && { lastError }) }),
    async up(patient) {
      if (state === 'stopped') throw stopped()
      if (state !== 'up' || turn.signal.aborted) await waiters.wait(patient)
    },
    use: (given, anew) => {
      service = given
      if (!anew) return
      afresh = true
      turn.abort()
    },
    stop: (how, atMost = stopLimit) => {
      if (end === 'no') end = how
      stopLimit = atMost
      turn.abort()
      return living
    },
  }
}

interface Running extends Identity {
  /** The network namespace that it was started in. */
  readonly place: string | undefined
}

/** `Error(Exited(Pid(12), 3))` as `exit code 3`. */
const readable = (state: string): string => {
  const code = /exited\(.*,\s*(-?\d+)\)/i.exec(state)?.[1]
  const signal = /signaled\(.*,\s*(SIG[A-Z0-9]+)/i.exec(state)?.[1]
  return code !== undefined ? `exit code ${code}` : (signal ?? (/^success/i.test(state) ? 'exit code 0' : state))
}

/** A listener that throws must not end the following. */
const tell = async (listener: () => unknown) => {
  try {
    await listener()
  } catch {
    // Its own plugin's to see.
  }
}
