import { crc32 } from 'node:zlib'
import type { Bytes, Certificate, Route, Tls, Write } from '../../../core/index.ts'

/** One row of the database to put, or with `null` to delete. */
export interface Row {
  readonly key: string
  readonly value: string | Uint8Array | null
}

/** Keys are `<table>!<id>`; `format` stands alone. */
export type Table = 'route' | 'certificate' | 'ledger' | 'state' | 'quarantine'
export const keyOf = (table: Table, id: string) => `${table}!${id}`

/** Turns writes into rows. Every put of a route takes the next number, so that the older of two is known. */
export const encoder = () => {
  let next = 1
  const encode = (write: Write): readonly Row[] => {
    if ('put' in write) return [{ key: keyOf('route', write.put.id), value: seal(`${next++} ${routeText(write.put)}`) }]
    if ('remove' in write) return [{ key: keyOf('route', write.remove.id), value: null }]
    if ('certificate' in write) {
      return [{ key: keyOf('certificate', write.certificate.id), value: seal(JSON.stringify(write.certificate)) }]
    }
    if ('drop' in write) return [{ key: keyOf('certificate', write.drop), value: null }]
    if ('state' in write) return [{ key: keyOf('state', write.state), value: write.value }]
    return Array.from(write.ledger, ([id, sum]) => ({
      key: keyOf('ledger', id),
      value: sum && seal(JSON.stringify([sum.request, sum.response])),
    }))
  }
  return {
    encode,
    after: (number: number) => {
      next = Math.max(next, number + 1)
    },
  }
}

/** `via` is made anew at every start, and what is undefined is not written. */
const routeText = ({ id, host, backends, passthrough, network, zone, tenant, tls }: Route) =>
  JSON.stringify({ id, host, backends, passthrough, network, zone, tenant, tls })

/** LevelDB reads a table block back without checking it, and a flipped bit in a backend would send a tenant's traffic elsewhere. */
const seal = (text: string) => checksum(text) + text
const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0')

/** The text that was sealed; throws where it is not what was written. */
const unseal = (value: string) => {
  const text = value.slice(8)
  if (value.slice(0, 8) !== checksum(text)) throw new Error('its checksum is wrong')
  return text
}

/** Reads routes back, frozen. Equal lists, modes and names are shared: a hundred thousand routes mostly repeat each other. */
export const routeDecoder = () => {
  const strings = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  const modes = new Map<string, Tls>()
  const share = <V>(seen: Map<string, V>, key: string, value: V): V => {
    const known = seen.get(key)
    if (known !== undefined) return known
    seen.set(key, Object.freeze(value))
    return value
  }
  const text = (value: string) => share(strings, value, value)
  const list = (value: readonly string[]) => share(lists, value.join('\n'), value)

  return (key: string, value: string): { readonly route: Route; readonly number: number } => {
    const sealed = unseal(value)
    const space = sealed.indexOf(' ')
    const number = Number(sealed.slice(0, space))
    const route: unknown = JSON.parse(sealed.slice(space + 1))
    if (!isRoute(route) || keyOf('route', route.id) !== key || !Number.isSafeInteger(number)) throw new Error('it is no route')
    const shared = { backends: list(route.backends), tenant: text(route.tenant), tls: share(modes, tlsKey(route.tls), route.tls) }
    Object.assign(route, shared)
    if (route.zone !== undefined) Object.assign(route, { zone: text(route.zone) })
    return { route: Object.freeze(route), number }
  }
}
const tlsKey = (tls: Tls) =>
  tls.mode === 'passthrough' ? '' : `${tls.resolver}\n${tls.challenge ?? ''}\n${Object.freeze(tls.names).join('\n')}`

export const certificateOf = (key: string, value: string): Certificate => {
  const read: unknown = JSON.parse(unseal(value))
  if (!isObject(read)) throw new Error('it is no certificate')
  const certificate: unknown = { ...read, notBefore: new Date(String(read.notBefore)), notAfter: new Date(String(read.notAfter)) }
  if (!isCertificate(certificate) || keyOf('certificate', certificate.id) !== key) throw new Error('it is no certificate')
  return Object.freeze(certificate)
}

export const bytesOf = (value: string): Bytes => {
  const read: unknown = JSON.parse(unseal(value))
  if (!Array.isArray(read)) throw new Error('it is no pair of sums')
  const [request, response]: unknown[] = read
  if (!isCount(request) || !isCount(response)) throw new Error('it is no pair of sums')
  return { request, response }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
const isTls = (value: unknown): value is Tls =>
  isObject(value) &&
  (value.mode === 'passthrough' || (value.mode === 'terminate' && typeof value.resolver === 'string' && isTexts(value.names)))
const isRoute = (value: unknown): value is Route =>
  isObject(value) &&
  typeof value.id === 'string' &&
  typeof value.host === 'string' &&
  typeof value.tenant === 'string' &&
  typeof value.passthrough === 'boolean' &&
  isTexts(value.backends) &&
  isTls(value.tls)
const isDate = (value: unknown) => value instanceof Date && !Number.isNaN(value.getTime())
const isCertificate = (value: unknown): value is Certificate =>
  isObject(value) &&
  typeof value.id === 'string' &&
  typeof value.resolver === 'string' &&
  isTexts(value.names) &&
  typeof value.chain === 'string' &&
  typeof value.key === 'string' &&
  isDate(value.notBefore) &&
  isDate(value.notAfter)
