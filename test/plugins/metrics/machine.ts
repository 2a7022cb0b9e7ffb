import type { Bytes, Traffic, WorkloadId, Write } from '../../../core/index.ts'
import { definePlugin } from '../../../core/index.ts'
import { ledger } from '../../../core/ledger.ts'
import { ownEndpoints } from '../../../core/own-endpoints.ts'
import { services } from '../../../core/services.ts'
import { counting } from '../../../plugins/metrics/traffic/count.ts'
import { reading } from '../../../plugins/metrics/traffic/read.ts'
import { memory } from '../../../plugins/store/memory/index.ts'
import { openStore } from '../../kit/store/open.ts'

export const id = (n: number) => `1-${n}-w` as WorkloadId

const zero: Bytes = { request: 0, response: 0 }

/** Counters as an engine keeps them; `hold` lets a read take its figures and answer later. */
export const counterEngine = () => {
  let epoch = 1
  let counters = new Map<WorkloadId, Bytes>()
  let held: Promise<void> | undefined
  /** Readings so far, those of earlier epochs, and how many there were when a counter last changed. */
  let readings = 0
  let earlier = 0
  const changed = new Map<WorkloadId, number>()
  const api: Traffic = {
    read: async (_, since = 0) => {
      const isTold = (workload: WorkloadId) => since <= earlier || (changed.get(workload) ?? 0) >= since
      const bytes = new Map([...counters].filter(([workload]) => isTold(workload)))
      const answer = { epoch: `epoch ${epoch}`, bytes, mark: ++readings }
      await held
      return answer
    },
  }
  return {
    /** As another process of the gateway would reach the engine. */
    connect: (): Traffic => ({ read: api.read }),
    carry: (workload: WorkloadId, bytes: number) => {
      const { request, response } = counters.get(workload) ?? zero
      counters.set(workload, { request: request + bytes, response: response + 2 * bytes })
      changed.set(workload, readings)
    },
    figure: (workload: WorkloadId): Bytes => counters.get(workload) ?? zero,
    remove: (workload: WorkloadId): Bytes => {
      const last = counters.get(workload) ?? zero
      counters.delete(workload)
      return last
    },
    restart: () => {
      epoch++
      earlier = readings
      counters = new Map()
    },
    hold: () => {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return () => {
        held = undefined
        gate.resolve()
      }
    },
  }
}

/** The ledger of one gateway process after another over one store: what was not committed is gone with the process. */
export const processes = async (engine: ReturnType<typeof counterEngine>) => {
  const store = await openStore(memory(), '/nowhere')
  return {
    start: async () => {
      let left = Number.POSITIVE_INFINITY
      const commit = async (writes: readonly Write[]) => {
        if (left-- <= 0) throw new Error('killed')
        await store.commit(writes)
      }
      const stored = await store.load()
      const sums = ledger(commit)
      sums.load(stored.bytes)
      const plugin = definePlugin({
        name: 'metrics/traffic',
        kind: 'metrics',
        setup: () => ({ observe: () => undefined, report: () => sums.sums }),
      })
      const core = services({
        root: '/nowhere',
        log: () => undefined,
        routes: { size: 0, get: () => undefined, byHost: () => undefined, count: () => 0, list: () => [], all: () => [] },
        listen: () => Promise.reject(new Error('unused')),
        ledger: sums,
        emit: () => undefined,
        state: new Map(stored.state),
        commit,
        refresh: () => undefined,
        keep: () => undefined,
        endpoints: ownEndpoints(() => []),
        phase: () => 'ready',
      })(plugin, { state: 'ok' }, AbortSignal.timeout(60_000))
      const counts = counting(core.ledger, core.state)
      return {
        counts,
        reader: reading(engine.connect(), counts),
        /** The process is killed when this many of the commits to come are done. */
        dieAfter: (commits: number) => {
          left = commits
        },
      }
    },
  }
}
