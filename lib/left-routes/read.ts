import { type Backend, parseBackend } from '../backend.ts'
import { canonicalHost, isUnder } from '../host.ts'
import { shown } from '../shown.ts'
import { isWorkloadId } from '../workload-id.ts'

/** A workload as a Go gateway module left it in a file for Traefik. */
export interface LeftRoute {
  readonly id: string
  readonly host: string
  readonly passthrough: boolean
  readonly backends: readonly string[]
  /** The gateway's domain, where the file says that the host is a name under it. */
  readonly zone?: string
  /** The file says that the host is a domain of the tenant's own. */
  readonly own?: true
}

/**
 * Reads the document of one file of Traefik's file provider, in every shape that the Go module ever wrote: keys in any case, `tcp` with
 * `passthrough` for what is passed through, one router or, in the oldest, one with and one without TLS. Returns a sentence where it is
 * something else. `id`: the name of the file, which is what the module deletes by.
 */
export const readLeftRoute = (id: string, document: unknown): LeftRoute | string => {
  if (!isWorkloadId(id)) return 'its name is no workload id'
  const file = record(document)
  const [http, tcp] = [record(file?.get('http')), record(file?.get('tcp'))]
  const part = tcp ?? http
  if (!file || !part) return 'it has neither http nor tcp routes'
  if (http && tcp) return 'it has http and tcp routes, of which the Go module writes one'
  // Names with a dot are no workload's: the gateway writes such routers of its own.
  const routers = entries(part.get('routers')).filter(([name]) => !name.includes('.'))
  const [first, ...others] = routers.map(([, router]) => readRouter(record(router), tcp !== undefined))
  if (first === undefined) return 'no routes are defined in it'
  if (typeof first === 'string') return first
  const other = others.find((each) => typeof each === 'string' || each.host !== first.host || each.service !== first.service)
  if (other !== undefined) return typeof other === 'string' ? other : 'it has routers for several hosts'
  if (first.service !== id) return `it serves workload '${shown(first.service)}', and its name is another one`
  const service = entries(part.get('services')).find(([name]) => name === first.service)?.[1]
  const backends = readServers(record(record(service)?.get('loadbalancer')), tcp !== undefined)
  if (typeof backends === 'string') return backends
  return { id, host: first.host, passthrough: tcp !== undefined, backends, ...kindOf(routers, first.host) }
}

interface Router {
  readonly host: string
  readonly service: string
}
const rules = { http: /^Host\(`([^`]+)`\)$/, tcp: /^HostSNI\(`([^`]+)`\)$/ }

const readRouter = (router: Fields | undefined, tcp: boolean): Router | string => {
  const rule = String(router?.get('rule') ?? '')
  const named = (tcp ? rules.tcp : rules.http).exec(rule)?.[1]
  if (named === undefined) return `its rule '${shown(rule)}' names no host`
  const host = canonicalHost(named)
  if (host === undefined) return `'${shown(named)}' is no host name`
  // Go wrote it as text; YAML has it as a boolean too.
  if (tcp && String(record(router?.get('tls'))?.get('passthrough')) !== 'true') return 'its tcp route passes no TLS through'
  return { host, service: String(router?.get('service') ?? '') }
}

const readServers = (balancer: Fields | undefined, tcp: boolean): readonly string[] | string => {
  const servers = balancer?.get('servers')
  if (!Array.isArray(servers) || servers.length === 0) return 'its service has no servers'
  const found: string[] = []
  for (const server of servers) {
    const text = String(record(server)?.get(tcp ? 'address' : 'url') ?? '')
    // Go took any path after the address, and Traefik ignores it.
    const backend: Backend | string = parseBackend(tcp ? text : text.replace(/^(\w+:\/\/[^/?#]*)[/?#].*$/s, '$1'), tcp)
    if (typeof backend === 'string') return `its server '${shown(text)}' cannot be used: ${backend}`
    if (!found.includes(backend.text)) found.push(backend.text)
  }
  return found
}

/** The certificate that a file asks for says which kind of workload it is: `sans: ['*.zone']` a name, `main: host` a domain of its own. */
const kindOf = (routers: readonly (readonly [string, unknown])[], host: string): Pick<LeftRoute, 'zone' | 'own'> => {
  const domains = routers.flatMap(([, router]) => list(record(record(router)?.get('tls'))?.get('domains')).map(record))
  const zones = domains.flatMap((domain) =>
    list(domain?.get('sans')).map((name) => canonicalHost(String(name).replace(/^\*\./, ''))),
  )
  const zone = zones.find((each) => each !== undefined && isNameIn(host, each))
  if (zone !== undefined) return { zone }
  return domains.some((domain) => domain?.has('main')) ? { own: true } : {}
}

/** Whether a host is one label under a zone. */
export const isNameIn = (host: string, zone: string): boolean =>
  host !== zone && isUnder(host, zone) && !host.slice(0, -zone.length - 1).includes('.')

type Fields = ReadonlyMap<string, unknown>
const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
/** With its keys in lower case, as Go's YAML package writes them where a field has no tag. */
const record = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(entries(value).map(([key, each]) => [key.toLowerCase(), each]))
    : undefined
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
