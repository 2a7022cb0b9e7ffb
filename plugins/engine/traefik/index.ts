import { Acme, DnsHook, definePlugin, HttpChallenge, optional, Supervisor, Traffic } from '../../../core/index.ts'
import { withAuthority } from './authority.ts'
import type { TraefikOptions } from './options.ts'
import { readOptions } from './settings.ts'

export type { TraefikOptions }

/**
 * Serves every route by a Traefik of its own, which the gateway starts, configures by files, watches and, where asked, leaves running.
 * Needs the Traefik program, 3.0 or newer, and `processes()`. See docs/engine-traefik.md.
 */
export const traefik = (options: TraefikOptions = {}) => {
  const settings = readOptions(options)
  return definePlugin({
    name: 'engine/traefik',
    kind: 'engine',
    options,
    needs: { supervisor: Supervisor, hook: optional(DnsHook), acme: optional(Acme) },
    provides: { traffic: Traffic, http: HttpChallenge },
    setup: async (given) => {
      const { startEngine } = await import('./engine.ts')
      return startEngine(withAuthority(settings, given.acme), given, given)
    },
  })
}
