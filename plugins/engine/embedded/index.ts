import { definePlugin, HttpChallenge, TlsAlpnChallenge, Traffic } from '../../../core/index.ts'
import { type EmbeddedOptions, readOptions } from './options.ts'

export type { EmbeddedOptions }

/** Serves every route out of this process: TLS, HTTP/1.1, HTTP/2 and passthrough on one port. Needs nothing installed. See docs/engine-embedded.md. */
export const embedded = (options: EmbeddedOptions = {}) => {
  const settings = readOptions(options)
  return definePlugin({
    name: 'engine/embedded',
    kind: 'engine',
    options,
    provides: { traffic: Traffic, http: HttpChallenge, alpn: TlsAlpnChallenge },
    setup: async (core) => {
      const { startEngine } = await import('./engine.ts')
      return startEngine(settings, core)
    },
  })
}
