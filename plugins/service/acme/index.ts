import { Acme, definePlugin, NodeFacts, optional } from '../../../core/index.ts'
import { type AcmeOptions, readOptions } from './options.ts'

export type { AcmeOptions, AuthorityOptions } from './options.ts'

/** Orders certificates from ACME CAs for whatever resolver can answer their challenges: accounts, checks beforehand, limits, several CAs in order. */
export const acme = (options: AcmeOptions = {}) => {
  const settings = readOptions(options)
  return definePlugin({
    name: 'service/acme',
    kind: 'service',
    options,
    needs: { node: optional(NodeFacts) },
    provides: { acme: Acme },
    setup: async (core) => {
      const { startAcme } = await import('./service.ts')
      return startAcme(settings, core)
    },
  })
}
