import type { Measure } from './parts/options.ts'

/** Every figure by name; its file is imported when it is asked for. */
export const figures: Readonly<Record<string, () => Promise<{ readonly measure: Measure }>>> = {
  zbus: () => import('./zbus-figure.ts'),
  fair: () => import('./fair.ts'),
  store: () => import('./store-figure.ts'),
  'set-to-served': () => import('./set-to-served.ts'),
  change: () => import('./change.ts'),
  start: () => import('./start.ts'),
  'cold-start': () => import('./cold-start.ts'),
  request: () => import('./request.ts'),
  profile: () => import('./profile.ts'),
  traefik: () => import('./traefik.ts'),
  'traefik-crowd': () => import('./traefik-crowd.ts'),
  'traefik-churn': () => import('./traefik-churn.ts'),
  flat: () => import('./flat.ts'),
  relay: () => import('./relay.ts'),
  slow: () => import('./slow.ts'),
  handshake: () => import('./handshake.ts'),
  'dns-gap': () => import('./dns-gap.ts'),
}
