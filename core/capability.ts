import type { Bytes, WorkloadId } from './operation.ts'

type Awaitable<T> = T | Promise<T>

/** A typed name for what one plugin offers and another needs. */
export interface Capability<out T> {
  readonly id: string
  /** Boot goes on without a provider, and the plugin is given `undefined`. */
  readonly optional?: boolean
  readonly type?: T
}
export const capability = <T>(id: string): Capability<T> => ({ id })
/** `needs: { node: optional(NodeFacts) }`: the plugin runs without it too and says clearly what then is missing. */
export const optional = <T>(of: Capability<T>): Capability<T | undefined> => ({ id: of.id, optional: true })

/** Puts the TXT values of DNS challenges (RFC 8555 section 8.4) where a CA can see them. Several values of one name live side by side. */
export interface DnsWriter {
  /** Returns once the name server itself answers with the value. */
  present(fqdn: string, value: string, signal: AbortSignal): Promise<void>
  /** Takes away this value only; one that is not there is no error. */
  cleanup(fqdn: string, value: string): Promise<void>
}
export const DnsWriter = capability<DnsWriter>('dns-writer')

/** Answers http-01 challenges (RFC 8555 section 8.3) on port 80 of the node. */
export interface HttpChallenge {
  present(token: string, keyAuthorization: string): Awaitable<void>
  cleanup(token: string): Awaitable<void>
}
export const HttpChallenge = capability<HttpChallenge>('http-challenge')

/** IP addresses as text, any spelling of RFC 5952 and without a prefix length; `domain` a host name. */
export interface PublicConfig {
  readonly ipv4?: string
  readonly ipv6?: string
  readonly domain?: string
}
/** What the node is to the outside. `undefined`: no public config, so no FQDN workload; no domain, so no name workload. */
export interface NodeFacts {
  publicConfig(signal: AbortSignal): Awaitable<PublicConfig | undefined>
}
export const NodeFacts = capability<NodeFacts>('node-facts')

/**
 * Raw counters of the engine, in bytes since `epoch` began; `epoch` changes whenever they may have started again from zero.
 * Within an epoch the figure of a workload only grows, over a change of its route and over delete and re-create while the old
 * connections drain. With its `removed` event, which carries the last figure, the engine forgets it: set again, it counts from zero.
 * A workload that saw no traffic may be absent.
 */
export interface Traffic {
  read(signal: AbortSignal): Awaitable<{
    readonly epoch: string
    readonly bytes: ReadonlyMap<WorkloadId, Bytes>
  }>
}
export const Traffic = capability<Traffic>('traffic')

/** The HTTP API as a fetch handler, to mount in any server. */
export interface Fetch {
  fetch(request: Request): Awaitable<Response>
}
export const Fetch = capability<Fetch>('fetch')
