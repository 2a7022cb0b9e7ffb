import type { Gateway } from '../../../core/index.ts'

/** The port on which the engine says it serves HTTPS (its fact `https`), 443 where it says none. */
export const httpsPort = (gateway: Gateway): number => {
  const engine = gateway.status().plugins.find(({ name }) => name.startsWith('engine/'))
  const port = Number(/(\d+)$/.exec(String(engine?.facts?.https ?? 443))?.[1])
  return port > 0 ? port : 443
}
