import type { Bytes, Certificate, Route, Tls } from '../../../core/index.ts'
import { keyOf } from './record.ts'
import { unseal } from './seal.ts'

/** Reads routes back, frozen. Equal lists, names and everything of the common part are shared: a hundred thousand routes mostly repeat each other. */
export const routeDecoder = () => {
  const commons = new Map<string, Common>()
  const strings = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  const share = <V>(seen: Map<string, V>, key: string, value: V): V => {
    const known = seen.get(key)
    if (known === undefined) seen.set(key, value)
    return known ?? value
  }
  let last: readonly [text: string, common: Common] | undefined
  const commonOf = (text: string): Common => {
    if (last?.[0] === text) return last[1]
    const common = commons.get(text) ?? parseCommon(text)
    commons.set(text, common)
    last = [text, common]
    return common
  }

  return (key: string, value: string): { readonly route: Route; readonly number: number } => {
    const record = unseal(key, value)
    const [space, line] = [record.indexOf(' '), record.lastIndexOf('\n')]
    const number = Number(record.slice(0, space))
    const own: unknown = JSON.parse(record.slice(space + 1, line))
    if (!isOwn(own) || keyOf('route', own.id) !== key || !Number.isSafeInteger(number)) throw new Error('it is no route')
    const { passthrough, zone, tls } = commonOf(record.slice(line + 1))
    const { id, host } = own
    const tenant = share(strings, own.tenant, own.tenant)
    const backends = share(lists, own.backends.join('\n'), Object.freeze(own.backends))
    const route: Route =
      zone === undefined
        ? { id, host, backends, passthrough, tenant, tls }
        : { id, host, backends, passthrough, zone, tenant, tls }
    return { route: Object.freeze(own.network === undefined ? route : { ...route, network: own.network }), number }
  }
}
const parseCommon = (text: string): Common => {
  const common: unknown = JSON.parse(text)
  if (!isCommon(common)) throw new Error('it is no route')
  if (common.tls.mode === 'terminate') Object.freeze(common.tls.names)
  Object.freeze(common.tls)
  return common
}
type Common = Pick<Route, 'passthrough' | 'zone' | 'tls'>
type Own = Omit<Route, keyof Common>

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
const isOwn = (value: unknown): value is Own =>
  isObject(value) &&
  typeof value.id === 'string' &&
  typeof value.host === 'string' &&
  typeof value.tenant === 'string' &&
  isTexts(value.backends)
const isCommon = (value: unknown): value is Common =>
  isObject(value) && typeof value.passthrough === 'boolean' && isTls(value.tls)
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
