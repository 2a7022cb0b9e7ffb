import { readFamilies } from '../../../../lib/prometheus-protobuf.ts'
import { readSamples } from '../../../../lib/prometheus-text.ts'

/** What one look at Traefik's metrics says. */
export interface Scrape {
  /** When this Traefik began, and how much CPU it has used, in seconds. */
  readonly started: number
  readonly used: number
  /** By the name of the service with its provider, such as `40-1976-shop@file`. */
  readonly services: ReadonlyMap<string, Count>
}
export interface Count {
  readonly request: Counter
  readonly response: Counter
}
export interface Counter {
  readonly bytes: number
  /** When it began to count, in seconds since 1970; absent where Traefik does not say. */
  readonly since?: number | undefined
}

const requests = 'traefik_service_requests_bytes_total'
const responses = 'traefik_service_responses_bytes_total'
const started = 'process_start_time_seconds'
const used = 'process_cpu_seconds_total'
const wanted = new Set([requests, responses, started, used])

/** Reads Traefik's metrics, in Prometheus' text format or, as bytes, its protobuf format. Throws where it is neither, or not of one process. */
export const readScrape = (metrics: string | Uint8Array): Scrape => {
  const services = new Map<string, { request: Counter; response: Counter }>()
  const process = new Map<string, number>()
  const take = (name: string, labels: ReadonlyMap<string, string>, value: number, since?: number) => {
    if (name === started || name === used) {
      process.set(name, value)
      return
    }
    const service = labels.get('service')
    // A counter is a whole number of bytes; anything else is nothing to bill by.
    if (service === undefined || !(value >= 0 && value < Number.POSITIVE_INFINITY)) return
    const count = services.get(service) ?? { request: none, response: none }
    services.set(service, count)
    const way = name === requests ? 'request' : 'response'
    count[way] = sum(count[way], { bytes: Math.round(value), since })
  }
  if (typeof metrics === 'string') readSamples(metrics, take, wanted)
  else readFamilies(metrics, take, wanted)
  const since = process.get(started)
  if (since === undefined || !Number.isFinite(since)) throw new Error(`Traefik's metrics have no ${started}`)
  return { started: since, used: process.get(used) ?? 0, services }
}

const none: Counter = { bytes: 0 }
/** By method, protocol and code there is one series each; Traefik takes all of a service away at once. */
const sum = (a: Counter, b: Counter): Counter => ({
  bytes: a.bytes + b.bytes,
  since: a.since === undefined || b.since === undefined ? (a.since ?? b.since) : Math.min(a.since, b.since),
})

/** The workload that a service of Traefik's is for; `undefined` for Traefik's own and those that others made. */
export const workloadOf = (service: string): string | undefined =>
  /^([A-Za-z0-9_-]{1,128})(?:\.grpc)?@(?:file|http)$/.exec(service)?.[1]
