import { keys, number } from './option-checks.ts'

/** Sizes in bytes, times in seconds; 0: no limit, but where a least is named. */
export interface Limits {
  /** Of one request; default 32,768, at least 4,096. */
  readonly headerBytes?: number
  /** For a ClientHello, and for a whole request with its body; default 600. */
  readonly requestSeconds?: number
  /** A connection between requests; default 75. */
  readonly idleSeconds?: number
  /** One request body, which Traefik then buffers whole; default 0. */
  readonly bodyBytes?: number
  /** To connect to a backend; default 5, at least 0.1. */
  readonly connectSeconds?: number
  /** Until a backend begins to answer; default 300. */
  readonly responseSeconds?: number
  /** Streams at once of one HTTP/2 connection; default 128, at least 1. */
  readonly streams?: number
}
const defaults = {
  headerBytes: 32_768,
  requestSeconds: 600,
  idleSeconds: 75,
  bodyBytes: 0,
  connectSeconds: 5,
  responseSeconds: 300,
  streams: 128,
} satisfies Limits
const least: Readonly<Record<string, number>> = { headerBytes: 4_096, connectSeconds: 0.1, streams: 1 }

/** Throws CONFIG_INVALID with the limit's name. */
export const readLimits = (limits: Limits): Required<Limits> => {
  keys('limits.', limits, Object.keys(defaults))
  for (const [name, value] of Object.entries(limits)) number(`limits.${name}`, value, least[name] ?? 0, 2_000_000_000)
  return { ...defaults, ...limits }
}
