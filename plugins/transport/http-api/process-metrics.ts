import { collectDefaultMetrics, Registry } from 'prom-client'

let registry: Registry | undefined

/** The process is one, however many gateways run in it; its watchers start at the first scrape. */
export const processMetrics = (): Registry => {
  if (!registry) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}
