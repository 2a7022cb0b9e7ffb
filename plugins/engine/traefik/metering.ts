import { type Core, GatewayError, type Route, reason, type Supervisor, type WorkloadId } from '../../../core/index.ts'
import { parseBackend } from '../../../lib/backend.ts'
import type { RelayRoute } from './relay/protocol.ts'
import { startRelay } from './relay/service.ts'
import type { Settings } from './settings.ts'
import { relayTransport } from './shared.ts'
import { relayTokenOf } from './token.ts'

/** Has bytes counted by a process of its own: Traefik's figures of what it ends TLS for, and what is passed through by itself. */
export const startMetering = async (settings: Settings, core: Core, supervisor: Supervisor, folder: string, token: string) => {
  const { relayPort: port, api, limits, leftOut, netns, keepServing, ca } = settings
  const relay = await startRelay(supervisor, {
    folder,
    port,
    keep: keepServing,
    ...(netns !== undefined && { netns }),
    settings: {
      hello: limits.requestSeconds > 0 ? Math.min(limits.requestSeconds * 1_000, longestHello) : longestHello,
      connect: limits.connectSeconds * 1_000,
      retry: Math.max(leftOut, 0.1) * 1_000,
      metrics: api,
      token: relayTokenOf(token),
      ...(limits.responseSeconds > 0 && { answer: limits.responseSeconds * 1_000 }),
      exempt: [...settings.trustedProxies, ...settings.acceptProxy],
      ...(ca !== undefined && { ca }),
    },
  })
  const through = (route: Route) => route.tls.mode === 'passthrough'
  const relayed = (routes: readonly Route[]) => (port === undefined ? [] : routes.map((route) => relayRoute(route, settings)))
  return {
    client: relay.client,
    /** For the documents: where passed-through connections go first. */
    shape: port === undefined ? {} : { relay: { address: relay.address, serversTransport: `${relayTransport}@file` } },
    restore: (routes: readonly Route[]): Promise<void> =>
      relay.client.restore(relayed(routes)).catch((error) => core.log(`the relay hears of its routes later: ${reason(error)}`)),
    /** What Traefik ends TLS for, which is served without the relay too: Traefik need not wait for it. Never rejects. */
    note: (routes: readonly Route[], signal: AbortSignal): Promise<void> =>
      relay.client.note(relayed(routes.filter((route) => !through(route))), signal),
    /** What is passed through, before Traefik hears of it. Resolves with those that are not to be. */
    async take(routes: readonly Route[], signal: AbortSignal): Promise<ReadonlyMap<WorkloadId, Error>> {
      const some = routes.filter(through)
      if (port === undefined) for (const route of some) core.emit(notMetered(route))
      try {
        await relay.client.apply(relayed(some), [], signal)
        return new Map()
      } catch (error) {
        const why = `passed-through connections are not taken: ${reason(error)}`
        const refusal = new GatewayError('ENGINE_UNAVAILABLE', why, 'see gateway status, and try again', { cause: error })
        return new Map(some.map(({ id }) => [id, refusal]))
      }
    },
    close: relay.close,
  }
}

export type Metering = Awaited<ReturnType<typeof startMetering>>

/** ms. Traefik read the ClientHello already: it comes at once. */
const longestHello = 10_000

const relayRoute = (route: Route, { sendProxy }: Settings): RelayRoute => ({
  id: route.id,
  host: route.host,
  ...(route.tls.mode === 'terminate' && { http: true }),
  backends: (route.via ?? route.backends).map((text) => {
    const backend = parseBackend(text, route.tls.mode === 'passthrough')
    if (typeof backend === 'string') throw new Error(`backend ${JSON.stringify(text)}: ${backend}`)
    return { host: backend.ip.text, port: backend.port, ...(backend.scheme === 'https' && { tls: true }) }
  }),
  ...(route.tls.mode === 'passthrough' && sendProxy && { sendProxy: sendProxy === 1 ? 'v1' : 'v2' }),
})

const notMetered = ({ id, host }: Route) =>
  ({
    type: 'alarm',
    code: 'METRICS_DISABLED',
    message: `the traffic of ${id} (${host}) is not counted: Traefik passes it through, and the relay that counts is off`,
    fix: 'leave out relay: false of traefik(), or do not bill by it',
  }) as const
