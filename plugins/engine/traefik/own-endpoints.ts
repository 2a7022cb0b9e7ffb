import type { OwnEndpoint } from '../../../core/index.ts'
import type { Settings } from './settings.ts'

/** Every TCP port on which Traefik and the processes beside it listen: entry points, API, http provider, relay, http-01 challenges. */
export const ownEndpoints = (settings: Settings, challenges: string | undefined): readonly OwnEndpoint[] => {
  const { http, https, api, routes, overHttp, relayPort } = settings
  const ports = [
    http.port,
    https.port,
    api.port,
    ...(routes === 'files' ? [] : [overHttp.port]),
    ...(relayPort === undefined ? [] : [relayPort]),
    ...(challenges === undefined ? [] : [Number(new URL(challenges).port)]),
  ]
  return ports.map((port) => ({ port }))
}
