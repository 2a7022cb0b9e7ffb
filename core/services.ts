import type { CoreFor } from './boot.ts'
import type { Event } from './event.ts'
import type { ownEndpoints } from './own-endpoints.ts'
import type { Core, Plugin, Write } from './plugin.ts'
import { tellHealth } from './tell-health.ts'

export type Log = (level: 'info' | 'warn' | 'error', message: string, fields: object) => void

/** What the core gives each plugin, under the plugin's own name. */
export const services = (o: {
  root: string
  log: Log
  routes: Core['routes']
  listen: (...of: [...Parameters<Core['listen']>, owner: object]) => ReturnType<Core['listen']>
  ledger: Core['ledger']
  phase: Core['phase']
  emit: (event: Event, from: Plugin) => void
  state: Map<string, Uint8Array>
  commit: (writes: readonly Write[]) => Promise<void>
  refresh: (plugin: Plugin) => void
  keep: (path: string) => void
  endpoints: ReturnType<typeof ownEndpoints>
}): CoreFor => {
  return (plugin, health, signal) => {
    const tell = tellHealth(health, signal, ({ state, reason }) =>
      o.emit({ type: 'plugin', name: plugin.name, state, ...(reason !== undefined && { reason }) }, plugin),
    )
    return {
      root: o.root,
      signal,
      routes: o.routes,
      listen: (address, accept) => o.listen(address, accept, health),
      ledger: o.ledger,
      phase: o.phase,
      log: (message, fields = {}) => o.log('info', message, { plugin: plugin.name, ...fields }),
      emit: (event) => o.emit(event, plugin),
      refresh: () => o.refresh(plugin),
      keep: o.keep,
      endpoints: {
        declare: (endpoints) => o.endpoints.declare(health, endpoints, signal),
        all: o.endpoints.all,
      },
      health: (state, reason, facts) => {
        health.state = state
        if (reason === undefined) delete health.reason
        else health.reason = reason
        if (facts) health.facts = facts
        tell()
      },
      state: {
        get: (key) => o.state.get(`${plugin.name} ${key}`),
        async set(key, value) {
          const name = `${plugin.name} ${key}`
          await o.commit([{ state: name, value }])
          if (value) o.state.set(name, value)
          else o.state.delete(name)
        },
      },
    }
  }
}
