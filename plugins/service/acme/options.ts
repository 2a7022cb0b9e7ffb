import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AcmeAuthority, GatewayError, reason } from '../../../core/index.ts'
import { nearest } from '../../../lib/nearest.ts'
import { optionChecks } from '../../../lib/option-checks.ts'
import { proxyFor } from '../../../lib/proxy.ts'
import { shown } from '../../../lib/shown.ts'

/** A CA: one of the known ones by name, or any by the URL of its directory. */
export interface AuthorityOptions {
  readonly directory: string
  /** For notices of the CA; by default that of `acme()`. */
  readonly email?: string
  /** File with the PEM of the roots by which the directory's own TLS is verified; by default the system's. */
  readonly trust?: string
  /** External account binding. `keyFile` holds the key that the CA gave out, base64url. */
  readonly eab?: { readonly id: string; readonly keyFile: string } | { readonly id: string; readonly key: string }
  /** One of the profiles that the CA offers, such as `shortlived`. */
  readonly profile?: string
  /** The names by which CAA records call the CA; by default those that its directory tells. */
  readonly caa?: readonly string[]
  /** Its published limits, kept to before it is asked. Default: those of Let's Encrypt for its own URL, none for others. */
  readonly limits?: 'letsencrypt' | 'none'
}
export interface AcmeOptions {
  readonly email?: string
  /** In order: what one cannot or will not give is asked of the next. Default `['letsencrypt']`. */
  readonly authorities?: readonly (KnownAuthority | AuthorityOptions)[]
  /** Let's Encrypt's staging CA instead of the others: no limits to speak of, and nobody trusts its certificates. Default false. */
  readonly staging?: boolean
  /** Resolvers for the checks before an order, `192.0.2.1` or `192.0.2.1:5353`; by default the system's. */
  readonly nameServers?: readonly string[]
  /** What is checked before an order. Each is on by default. */
  readonly preflight?: {
    /** The name resolves to this node. */
    readonly here?: boolean
    /** CAA records allow the CA. */
    readonly caa?: boolean
    /** The answer to a challenge is to be had by the name's own address. */
    readonly reach?: boolean
    /** `_acme-challenge` is delegated, where the node itself answers for it. */
    readonly delegation?: boolean
  }
  /** The port on which a CA looks for http-01 answers: 80, and another one in tests only. */
  readonly httpPort?: number
  /** The URL of the proxy by which CAs are asked, such as `http://proxy.example:3128`; `false`: none. Default: as HTTPS_PROXY and NO_PROXY say. */
  readonly proxy?: string | false
  /** Orders at once. Default 10. */
  readonly parallel?: number
}

export interface Authority extends AcmeAuthority {
  readonly profile: string | undefined
  readonly caa: readonly string[] | undefined
  readonly limited: boolean
}
export interface Settings {
  /** Reads the files that the options name. Throws CONFIG_INVALID. */
  readonly authorities: () => readonly Authority[]
  readonly nameServers: readonly string[]
  readonly preflight: { readonly here: boolean; readonly caa: boolean; readonly reach: boolean; readonly delegation: boolean }
  readonly httpPort: number
  readonly parallel: number
}

const known = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
  zerossl: 'https://acme.zerossl.com/v2/DV90',
  google: 'https://dv.acme-v02.api.pki.goog/directory',
} as const
type KnownAuthority = keyof typeof known

/** Throws CONFIG_INVALID with the option's name. */
export const readOptions = (options: AcmeOptions): Settings => {
  keys('', options, ['email', 'authorities', 'staging', 'nameServers', 'preflight', 'httpPort', 'parallel', 'proxy'])
  const {
    authorities = ['letsencrypt'],
    staging = false,
    nameServers = [],
    preflight = {},
    httpPort = 80,
    parallel = 10,
    proxy,
  } = options
  keys('preflight.', preflight, ['here', 'caa', 'reach', 'delegation'])
  if (options.email !== undefined) address(options.email)
  if (typeof staging !== 'boolean') throw wrong('staging', `is ${staging}`, 'give true or false')
  if (!Array.isArray(authorities) || authorities.length === 0)
    throw wrong('authorities', 'is empty', "give at least one, such as 'letsencrypt'")
  for (const [name, check] of Object.entries(preflight))
    if (typeof check !== 'boolean') throw wrong(`preflight.${name}`, `is ${check}`, 'give true or false')
  checkProxy(proxy)
  whole('httpPort', httpPort, 1, 65_535)
  whole('parallel', parallel, 1, 1_000)
  try {
    new Resolver().setServers(nameServers)
  } catch {
    throw wrong('nameServers', `are ${shown(JSON.stringify(nameServers))}`, 'give IP addresses, with a port where it is not 53')
  }
  const named = (staging ? (['letsencrypt-staging'] as const) : authorities).map((each, at) => check(each, `authorities[${at}]`))
  const twice = named.find(({ directory }, at) => named.findIndex((other) => other.directory === directory) !== at)
  if (twice) throw wrong('authorities', `has ${twice.directory} twice`, 'keep one')
  const { here = true, caa = true, reach = true, delegation = true } = preflight
  const load = () => named.map((each, at) => ({ ...authority(each, `authorities[${at}]`, options.email), proxy }))
  return { authorities: load, nameServers, preflight: { here, caa, reach, delegation }, httpPort, parallel }
}

const check = (given: KnownAuthority | AuthorityOptions, where: string): AuthorityOptions => {
  if (typeof given === 'string') {
    if (isKnown(given)) return { directory: known[given] }
    const near = nearest(String(given), Object.keys(known))
    const all = `known are ${Object.keys(known).join(', ')}; give others as { directory: 'https://...' }`
    throw wrong(where, `'${shown(String(given))}' is no CA known by name`, near ? `did you mean '${near}'?` : all)
  }
  keys(`${where}.`, given, ['directory', 'email', 'trust', 'eab', 'profile', 'caa', 'limits'])
  if (!isHttps(given.directory))
    throw wrong(
      `${where}.directory`,
      `'${shown(String(given.directory))}' is no https URL`,
      "give the URL of the CA's ACME directory",
    )
  return given
}

const authority = (
  { directory, trust, eab, profile, caa, limits, email }: AuthorityOptions,
  where: string,
  common?: string,
): Authority => {
  const mail = email ?? common
  return {
    directory,
    ...(mail !== undefined && { email: address(mail) }),
    ...(trust !== undefined && { trust: readText(`${where}.trust`, trust), trustFile: resolve(trust) }),
    ...(eab && { eab: binding(`${where}.eab`, eab) }),
    profile,
    caa,
    limited: limits === undefined ? directory === known.letsencrypt : limits === 'letsencrypt',
  }
}

/** A password may be in it: what is wrong is said without it. */
const checkProxy = (proxy: unknown): void => {
  if (proxy === undefined || proxy === false) return
  try {
    if (typeof proxy === 'string' && proxyFor(new URL('https://ca.example'), proxy)) return
  } catch {
    // Said below.
  }
  throw wrong('proxy', 'is no http or https URL', "give one such as 'http://proxy.example:3128', or false")
}

const address = (text: string): string => {
  if (/^[^\s@,?]+@[^\s@,?]+$/.test(text)) return text
  throw wrong('email', `'${shown(text)}' is no address`, 'give one such as ops@example.org')
}

const binding = (where: string, eab: NonNullable<AuthorityOptions['eab']>): { id: string; key: string } => {
  keys(`${where}.`, eab, ['id', 'key', 'keyFile'])
  const key = 'keyFile' in eab ? readText(`${where}.keyFile`, eab.keyFile).trim() : eab.key
  if (typeof eab.id !== 'string' || eab.id === '')
    throw wrong(`${where}.id`, 'is missing', 'give the key id that the CA gave out')
  if (typeof key !== 'string' || !/^[A-Za-z0-9_+/-]{16,}={0,2}$/.test(key))
    throw wrong(`${where}.key`, 'is not base64url', 'give the HMAC key as the CA gave it out')
  return { id: eab.id, key }
}

const readText = (option: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrong(option, `cannot be read: ${reason(error)}`, 'give the path of a file that the gateway may read')
  }
}

const isKnown = (name: string): name is KnownAuthority => Object.hasOwn(known, name)
const isHttps = (text: unknown): boolean => typeof text === 'string' && URL.canParse(text) && new URL(text).protocol === 'https:'
const whole = (option: string, value: unknown, least: number, most: number): void => {
  if (!(Number.isInteger(value) && typeof value === 'number' && value >= least && value <= most))
    throw wrong(option, `is ${JSON.stringify(value)}`, `give a whole number from ${least} to ${most}`)
}
const wrong = (option: string, what: string, fix: string): GatewayError =>
  new GatewayError('CONFIG_INVALID', `acme: ${option} ${what}`, fix)
const { keys } = optionChecks(wrong, 'options')
