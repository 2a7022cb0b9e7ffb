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
  readonly request: number
  readonly response: number
}

const requests = 'traefik_service_requests_bytes_total'
const responses = 'traefik_service_responses_bytes_total'
const started = 'process_start_time_seconds'
const used = 'process_cpu_seconds_total'
const wanted = new Set([requests, responses, started, used])

/** Reads Traefik's metrics in the Prometheus text format. Throws where it is none, or not of one process. */
export const readScrape = (text: string): Scrape => {
  const services = new Map<string, { request: number; response: number }>()
  const process = new Map<string, number>()
  const take = (name: string, labels: ReadonlyMap<string, string>, value: number) => {
    if (name === started || name === used) {
      process.set(name, value)
      return
    }
    const service = labels.get('service')
    // A counter is a whole number of bytes; anything else is nothing to bill by.
    if (service === undefined || !(value >= 0 && value < Number.POSITIVE_INFINITY)) return
    const count = services.get(service) ?? { request: 0, response: 0 }
    services.set(service, count)
    // By method, protocol and code: one series each.
    if (name === requests) count.request += Math.round(value)
    else count.response += Math.round(value)
  }
  readSamples(text, take, wanted)
  const since = process.get(started)
  if (since === undefined || !Number.isFinite(since)) throw new Error(`Traefik's metrics have no ${started}`)
  return { started: since, used: process.get(used) ?? 0, services }
}

/** The workload that a service of Traefik's is for; `undefined` for Traefik's own and those that others made. */
export const workloadOf = (service: string): string | undefined =>
  /^([A-Za-z0-9_-]{1,128})(?:\.grpc)?@(?:file|http)$/.exec(service)?.[1]
