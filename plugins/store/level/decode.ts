import type { Bytes, Certificate, Route, Tls } from '../../../core/index.ts'
import { keyOf } from './record.ts'
import { unseal } from './seal.ts'

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

  return (key: string, value: string): { readonly route: Route; readonly number: number } => {
    const record = unseal(key, value)
    const space = record.indexOf(' ')
    const number = Number(record.slice(0, space))
    const route: unknown = JSON.parse(record.slice(space + 1))
    if (!isRoute(route) || keyOf('route', route.id) !== key || !Number.isSafeInteger(number)) throw new Error('it is no route')
    Object.assign(route, {
      backends: share(lists, route.backends.join('\n'), route.backends),
      tenant: text(route.tenant),
      tls: share(modes, tlsKey(route.tls), route.tls),
    })
    if (route.zone !== undefined) Object.assign(route, { zone: text(route.zone) })
    return { route: Object.freeze(route), number }
  }
}
const tlsKey = (tls: Tls) =>
  tls.mode === 'passthrough' ? '' : `${tls.resolver}\n${tls.challenge ?? ''}\n${Object.freeze(tls.names).join('\n')}`

export const certificateOf = (key: string, value: string): Certificate => {
  const read: unknown = JSON.parse(unseal(key, value))
  if (!isObject(read)) throw new Error('it is no certificate')
  const certificate: unknown = { ...read, notBefore: new Date(String(read.notBefore)), notAfter: new Date(String(read.notAfter)) }
  if (!isCertificate(certificate)) throw new Error('it is no certificate')
  return Object.freeze(certificate)
}

export const bytesOf = (key: string, value: string): Bytes => {
  const read: unknown = JSON.parse(unseal(key, value))
  const [request, response]: unknown[] = Array.isArray(read) ? read : []
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
