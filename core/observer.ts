import { closeAll, drainEngines, ofKind, type Running } from './boot.ts'
import { type GatewayError, reason } from './errors.ts'
import type { Event, Logged } from './event.ts'
import { type EventLog, eventLog } from './event-log.ts'
import type { liveness } from './liveness.ts'
import type { Operation, WorkloadId } from './operation.ts'
import type { Plugin } from './plugin.ts'
import type { Log } from './services.ts'

/** Takes every event to whom it concerns: who waits for `live`, the metrics plugin, the log, and readers. */
export const observer = (o: { log: Log; live: ReturnType<typeof liveness>; set: () => readonly Running[] }) => {
  let log: EventLog | undefined
  let early: Event[] = []
  let retiring: readonly Running[] = []

  const complain = (error: unknown) => o.log('warn', `event log: ${reason(error)}`, { error })
  /** The metrics plugin that counts the engine which this plugin belongs to: a replaced engine drains under the old one. */
  const metricsFor = (from: Plugin | undefined) =>
    ofKind(from && retiring.some(({ plugin }) => plugin === from) ? retiring : o.set(), 'metrics')
  const emit = (event: Event, from?: Plugin) => {
    if (event.type === 'live') o.live.settle(event.id, event.error)
    for (const { hooks } of metricsFor(from))
      try {
        hooks.observe(event)
      } catch (error) {
        complain(error)
      }
    if (event.type === 'plugin' && event.state !== 'ok')
      o.log('warn', `${event.state}: ${event.reason ?? ''}`, { plugin: event.name })
    if (event.type === 'certificate' && event.state === 'failed')
      o.log('warn', `certificate for ${event.names.join(', ')} failed: ${event.reason ?? ''}`, { certificate: event.id })
    if (event.type === 'alarm') o.log('warn', `${event.code}: ${event.message} (${event.fix})`, {})
    if (log) log.emit(event)
    else early.push(event)
  }
  return {
    emit,
    /** An event of the core itself. */
    own: (event: Event) => emit(event),
    failed: (op: { readonly do: Operation['do']; readonly id?: WorkloadId }, error: GatewayError) =>
      emit({ type: 'failed', do: op.do, ...(op.id && { id: op.id }), error }),
    /** The log begins, above the number that the store had. */
    open(stored: Uint8Array | undefined, reserve: (seq: number) => Promise<void> = async () => undefined) {
      log = eventLog({ first: Number(Buffer.from(stored ?? []).toString()) || 0, reserve, failed: complain })
      for (const event of early) log.emit(event)
      early = []
    },
    async *read(since?: number, signal?: AbortSignal): AsyncGenerator<Logged> {
      if (log) yield* log.read(since, signal)
    },
    /** Lets replaced plugins end: engines drain first, while what counts them still runs. */
    async retire(set: readonly Running[]) {
      retiring = [...retiring, ...set]
      const failed = [...(await drainEngines(set)), ...(await closeAll(set))]
      retiring = retiring.filter((running) => !set.includes(running))
      return failed
    },
    async close() {
      await log?.close()
    },
  }
}
