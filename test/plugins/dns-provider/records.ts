import { serve } from '../../../plugins/dns-provider/responder/server.ts'
import { zoneOf } from '../../../plugins/dns-provider/responder/zone.ts'
import { freePort } from '../../kit/index.ts'

/** A name server of a test's own: what a provider keeps is given by `values`, asked with every question. */
export const startRecords = async (domains: readonly string[], values: (name: string) => Iterable<string>) => {
  const port = await freePort()
  let serial = 0
  const zones = () => {
    serial += 1
    return domains.map((domain) => zoneOf(domain, `ns.${domain}`, serial, [...values(`_acme-challenge.${domain}`)]))
  }
  const serving = await serve({ addresses: ['127.0.0.1'], port }, zones)
  return { host: '127.0.0.1', port, close: serving.close, propagation: { servers: [`127.0.0.1:${port}`], seconds: 20 } }
}

export const domains = ['gw.example.org', 'shop.example.com'] as const
/** What the server of a provider keeps: values by name. */
export const keeping = () => {
  const kept = new Map<string, Set<string>>()
  const of = (name: string) => {
    const values = kept.get(name) ?? new Set<string>()
    kept.set(name, values)
    return values
  }
  return { of }
}
