import { parse } from 'tldts'
import type { AcmeOrder } from '../../../core/index.ts'
import type { Rule } from '../../../lib/acme/budget.ts'

const hour = 3_600_000
const day = 24 * hour

/** Of the orders of a CA so many are one tenant's at most, however few others there are: the next one is not to wait for hours. */
const share = 0.5

/** What an order uses up with one CA, by the limits that Let's Encrypt publishes. Renewals are free of most. */
export const rulesOf = (directory: string, order: AcmeOrder, limited: boolean) => {
  const key = (what: string) => `${what} ${directory}`
  const names = [...order.names].sort().join(' ')
  const rule = (what: string, most: number, window: number): Rule => ({ key: key(what), most, window })
  const shared =
    limited && !order.replaces ? [ordersOf(directory), rule(`orders of ${order.tenant}`, orders.most * share, orders.window)] : []
  const own = limited && !order.replaces ? [...domainRules(directory, order.names), setRule(directory, order.names)] : []
  return {
    /** Shared by all: an order waits for room in them. */
    shared,
    /** Of these names alone. */
    own,
    /** Used by a failure: no CA is asked for ever for what does not work, and a tenant's mistakes are its own. */
    failures: [
      ...order.names.map((name) => rule(`failures of ${name}`, 5, hour)),
      ...(order.replaces ? [] : [rule(`failures of tenant ${order.tenant}`, 5, hour)]),
      rule(`failures for ${names}`, 33, 30 * day),
    ],
  }
}
export type Rules = ReturnType<typeof rulesOf>

/** The limits that an order for these names takes from, in words. */
export const limitsFor = (directory: string, names: readonly string[]): readonly (Rule & { readonly limit: string })[] => {
  const host = new URL(directory).host
  const hours = orders.window / hour
  return [
    { ...ordersOf(directory), limit: `orders in ${hours} hours at ${host}` },
    ...domainRules(directory, names).map((rule) => ({
      ...rule,
      limit: `new certificates a week for one registered domain at ${host}`,
    })),
    { ...setRule(directory, names), limit: `certificates a week for the same names at ${host}` },
  ]
}
const domainRules = (directory: string, names: readonly string[]): readonly Rule[] =>
  [...new Set(names.map(registered))].map((domain) => ({
    key: `certificates of ${domain} ${directory}`,
    most: 50,
    window: 7 * day,
  }))
const setRule = (directory: string, names: readonly string[]): Rule => ({
  key: `certificates for ${[...names].sort().join(' ')} ${directory}`,
  most: 5,
  window: 7 * day,
})

const orders = { most: 300, window: 3 * hour }
/** New orders of one account. */
export const ordersOf = (directory: string): Rule => ({ key: `orders ${directory}`, ...orders })

/** The domain that somebody registered: one label under a public suffix. */
const registered = (name: string): string => {
  const host = name.replace(/^\*\./, '')
  return parse(host, { allowPrivateDomains: true }).domain ?? host
}
