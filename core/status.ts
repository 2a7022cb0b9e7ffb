import type { Running } from './boot.ts'
import type { Routes, Status } from './gateway-interface.ts'
import type { CertificateState } from './operation.ts'
import { version } from './version.ts'

/** A gateway is ready where it has started, does not stop, and no plugin is down. */
export const statusOf = (o: {
  phase: 'starting' | 'ready' | 'stopping'
  root: string
  started: Date
  routes: Routes
  pending: number
  set: readonly Running[]
  certificates: readonly CertificateState[]
}): Status => {
  const { phase, root, started, routes, pending, set } = o
  return {
    ready: phase === 'ready' && set.every(({ health }) => health.state !== 'down'),
    version,
    root,
    started,
    routes: routes.size,
    pending,
    certificates: summaryOf(o.certificates.filter(({ users }) => users > 0)),
    plugins: set.map(({ plugin, health }) => ({ name: plugin.name, ...health })),
  }
}

const maxFailing = 10

const summaryOf = (all: readonly CertificateState[]): Status['certificates'] => {
  const failing = all.filter(({ code }) => code !== undefined && code !== 'ORDER_PENDING')
  return {
    ready: all.filter(({ state }) => state === 'ready').length,
    pending: all.filter(({ state }) => state === 'pending').length,
    failed: failing.length,
    failing: failing
      .slice(0, maxFailing)
      .map(({ names, state, error = '', code = '', fix = '' }) => ({ names, state, error, code, fix })),
  }
}
