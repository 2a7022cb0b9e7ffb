import { setImmediate } from 'node:timers/promises'
import type { Plugin } from '../../../core/index.ts'
import { openStore } from './open.ts'
import { idOf, route } from './samples.ts'

/** How a process of its own gets at the store: `module` exports `factory`, which is called with `options`. */
export interface StoreModule {
  readonly module: string
  readonly factory: string
  readonly options?: unknown
}
export type Order = StoreModule & { readonly root: string; readonly do: 'load' | 'write' | 'hold' }

/** Runs in a child process: loads, or writes until it is killed, or only holds the store; says what happened to its parent. */
const carryOut = async (order: Order) => {
  const exported: Record<string, unknown> = await import(order.module)
  const factory = exported[order.factory]
  if (typeof factory !== 'function') throw new Error(`${order.module} exports no function ${order.factory}`)
  const plugin = (await factory(order.options)) as Plugin<'store'>
  const store = await openStore(plugin, order.root)
  if (order.do === 'hold') {
    process.once('exit', () => store) // else it may be collected, and its lock with it
    return say({ holding: process.pid })
  }
  if (order.do === 'load') {
    say({ stored: await store.load() })
    await store.close()
    return process.disconnect()
  }
  await Promise.all(Array.from({ length: 16 }, (_, caller) => writeForEver(store, caller)))
}

/** Of every three workloads the second commit takes the second away again. Each commit has two halves that must not be torn apart. */
const writeForEver = async (store: Awaited<ReturnType<typeof openStore>>, caller: number) => {
  for (let turn = 0; ; turn++) {
    await setImmediate() // also where a store answers at once, its parent has to hear of it
    const id = idOf(`${caller}-${turn}-load`)
    await store.commit([{ put: route(id) }, { ledger: new Map([[id, { request: turn, response: caller }]]) }])
    say({ put: id })
    if (turn % 3 !== 1) continue
    say({ removing: id })
    await store.commit([{ remove: route(id) }, { ledger: new Map([[id, null]]) }])
    say({ removed: id })
  }
}

const say = (message: object) => {
  process.send?.(message)
}

if (process.send) {
  process.once('disconnect', () => process.exit())
  process.on('message', (order: Order) => {
    carryOut(order).catch((error: unknown) => {
      say({ failed: error instanceof Error ? error.message : String(error) })
      process.disconnect()
    })
  })
}
