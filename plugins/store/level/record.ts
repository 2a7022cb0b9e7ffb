import type { Route, Write } from '../../../core/index.ts'
import { seal, sealBinary } from './seal.ts'

/** One row of the database to put, or with `null` to delete. */
export interface Row {
  readonly key: string
  readonly value: string | Uint8Array | null
}

/** Keys are `<table>!<id>`; `format` stands alone. */
export type Table = 'route' | 'certificate' | 'ledger' | 'state' | 'quarantine'
export const keyOf = (table: Table, id: string) => `${table}!${id}`
export const format = 'format'

/** Turns writes into rows. Every put of a route takes the next number, so that the older of two is known. */
export const encoder = () => {
  let next = 1
  const encode = (write: Write): readonly Row[] => {
    if ('put' in write) return [text('route', write.put.id, `${next++} ${routeText(write.put)}`)]
    if ('remove' in write) return [gone('route', write.remove.id)]
    if ('certificate' in write) return [text('certificate', write.certificate.id, JSON.stringify(write.certificate))]
    if ('drop' in write) return [gone('certificate', write.drop)]
    if ('state' in write) return [write.value ? binary('state', write.state, write.value) : gone('state', write.state)]
    return Array.from(write.ledger, ([id, sum]) =>
      sum ? text('ledger', id, JSON.stringify([sum.request, sum.response])) : gone('ledger', id),
    )
  }
  return {
    encode,
    /** Numbers go on behind this one. */
    after: (number: number) => {
      next = Math.max(next, number + 1)
    },
  }
}

const text = (table: Table, id: string, value: string): Row => {
  const key = keyOf(table, id)
  return { key, value: seal(key, value) }
}
const binary = (table: Table, id: string, value: Uint8Array): Row => {
  const key = keyOf(table, id)
  return { key, value: sealBinary(key, value) }
}
const gone = (table: Table, id: string): Row => ({ key: keyOf(table, id), value: null })

/**
 * In two parts: what is the route's own, and what most routes have in common and a load then reads once. `via` is made anew at every
 * start, and what is undefined is not written.
 */
const routeText = ({ id, host, backends, network, tenant, passthrough, zone, tls }: Route) =>
  `${JSON.stringify({ id, host, backends, network, tenant })}\n${JSON.stringify({ passthrough, zone, tls })}`
