import { type Acme, type AcmeOrder, type Core, GatewayError, type NodeFacts } from '../../../core/index.ts'
import type { Issued } from '../../../lib/acme/order.ts'
import { type Ca, openCa } from './authority.ts'
import type { Settings } from './options.ts'
import { preflight } from './preflight.ts'

export const startAcme = (
  settings: Settings,
  core: Core & { node: NodeFacts | undefined },
): { api: { acme: Acme }; close(): void } => {
  const authorities = settings.authorities()
  const cas = authorities.map((authority) => openCa(authority, core, () => undefined))
  const checks = preflight(settings, core.node)

  const orderOf = async (ca: Ca, order: AcmeOrder, signal: AbortSignal): Promise<Issued> => {
    await checks.caa(order, await ca.identities(signal), signal)
    return ca.order(order, signal)
  }
  const obtain: Acme['obtain'] = async (order, signal) => {
    await checks.here(order, signal)
    const errors: unknown[] = []
    for (const ca of cas)
      try {
        return await orderOf(ca, order, signal)
      } catch (error) {
        signal.throwIfAborted()
        errors.push(error)
      }
    throw errors[0]
  }
  const [first] = cas
  return {
    api: {
      acme: {
        authorities,
        obtain,
        renewAt: async ({ chain }, signal) => first?.renewAt(chain, signal),
        revoke: async ({ chain }, signal) => {
          if (!first) throw new GatewayError('CA_REFUSED', 'there is no CA', 'add one to acme()')
          await first.revoke(chain, signal)
        },
      },
    },
    close: () => {
      for (const ca of cas) ca.close()
    },
  }
}
