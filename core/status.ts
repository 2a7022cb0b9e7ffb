import type { Running } from './boot.ts'
import type { Routes, Status } from './gateway-interface.ts'
import { version } from './version.ts'

/** A gateway is ready where it has started, does not stop, and no plugin is down. */
export const statusOf = (o: {
  phase: 'starting' | 'ready' | 'stopping'
  root: string
  started: Date
  routes: Routes
  pending: number
  set: readonly Running[]
}): Status => {
  const { phase, root, started, routes, pending, set } = o
  return {
    ready: phase === 'ready' && set.every(({ health }) => health.state !== 'down'),
    version,
    root,
    started,
    routes: routes.size,
    pending,
    plugins: set.map(({ plugin, health }) => ({ name: plugin.name, ...health })),
  }
}
