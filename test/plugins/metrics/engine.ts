import { type Bytes, definePlugin, type Event, type Plugin, Traffic, type WorkloadId } from '../../../core/index.ts'
import { counterEngine } from './machine.ts'

/** An engine that carries nothing and counts what a test says. */
export const countingEngine = (name = 'counting') => {
  const counters = counterEngine()
  let emit: (event: Event) => void = () => undefined
  let fail: (() => Promise<never>) | undefined
  const traffic: Traffic = {
    read: (signal, since) => fail?.() ?? counters.connect().read(signal, since),
  }
  const plugin: Plugin = definePlugin({
    name: `engine/${name}`,
    kind: 'engine',
    provides: { traffic: Traffic },
    setup: (core) => {
      emit = core.emit
      return {
        api: { traffic },
        restore: () => undefined,
        apply: (change) => {
          if ('remove' in change) emit({ type: 'removed', route: change.remove, bytes: counters.remove(change.remove.id) })
        },
        issues: () => false,
        install: () => undefined,
      }
    },
  })
  return {
    plugin,
    carry: (id: string, bytes: number) => counters.carry(id as WorkloadId, bytes),
    restart: () => {
      counters.restart()
      emit({ type: 'engine', state: 'restarted' })
    },
    /** What reading does from now on instead; `undefined`: it works again. */
    fail: (how: (() => Promise<never>) | undefined) => {
      fail = how
    },
  }
}

export const bytes = (request: number): Bytes => ({ request, response: 2 * request })
