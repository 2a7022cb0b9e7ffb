import type { GatewayError } from './errors.ts'
import type { Bytes, Certificate, ChallengeType, Draft, WorkloadId } from './operation.ts'

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
  /** True where this node itself answers for `_acme-challenge` names, which are to be delegated to it by NS records. */
  readonly delegated?: boolean
  /** True where the provider knows what a CNAME at `_acme-challenge` leads to, and is given that name itself (acme-dns). */
  readonly followsAliases?: boolean
  /**
   * `_acme-challenge.<domain>`, or what a CNAME there leads to and `proof.alias` repeats, any case, with or without a trailing dot, and a value of 43 letters, digits, `-` and `_`. Returns once
   * the name server itself answers with the value; twice is once. Rejects with FORBIDDEN for a name outside its zones, BAD_REQUEST for
   * another value, DNS_UNAVAILABLE, DNS_DENIED, or the signal's reason; clean up after that too, for it may have been written.
   * `proof` is what the value was made of, for the few providers that make it themselves (lego's raw modes).
   */
  present(fqdn: string, value: string, signal: AbortSignal, proof?: AcmeProof): Promise<void>
  /** Takes away this value only; one that is not there is no error. Ends by itself, within a minute. */
  cleanup(fqdn: string, value: string, proof?: AcmeProof): Promise<void>
}
export const DnsWriter = capability<DnsWriter>('dns-writer')

/** A program through which others have the DNS provider of this gateway present a value, as lego's exec provider calls one. */
export interface DnsHook {
  /** Absolute path, to be run as `command present|cleanup FQDN VALUE`. */
  readonly command: string
  /** What lego's exec provider and the program look for in their environment, EXEC_PATH and PATH among it. No secret. */
  readonly env: Readonly<Record<string, string>>
}
export const DnsHook = capability<DnsHook>('dns-hook')

/** Answers http-01 challenges (RFC 8555 section 8.3) on port 80 of the node. */
export interface HttpChallenge {
  present(token: string, keyAuthorization: string): Awaitable<void>
  cleanup(token: string): Awaitable<void>
}
export const HttpChallenge = capability<HttpChallenge>('http-challenge')

/** Answers tls-alpn-01 challenges (RFC 8737) on port 443 of the node: a handshake for `domain` with ALPN `acme-tls/1` gets this certificate, both PEM. */
export interface TlsAlpnChallenge {
  present(domain: string, certificate: { readonly chain: string; readonly key: string }): Awaitable<void>
  cleanup(domain: string): Awaitable<void>
}
export const TlsAlpnChallenge = capability<TlsAlpnChallenge>('tls-alpn-challenge')

/** A proof that a CA asks for. `domain` is without the `*.` of a wildcard. */
export interface AcmeProof {
  readonly domain: string
  readonly token: string
  readonly keyAuthorization: string
  /** dns-01: where a CNAME at `_acme-challenge.<domain>` leads, and the record belongs. Absent where there is none. */
  readonly alias?: string
}
/** An order for one certificate, by whoever can answer its challenges. */
export interface AcmeOrder {
  readonly names: readonly string[]
  readonly challenge: ChallengeType
  /** Whose share of the CA's limits it takes. */
  readonly tenant: string
  readonly replaces?: Certificate | undefined
  /** dns-01: see DnsWriter. */
  readonly delegated?: boolean | undefined
  readonly followsAliases?: boolean | undefined
  /** Returns once the CA can see the proof. Several of one order run at once. */
  present(proof: AcmeProof, signal: AbortSignal): Awaitable<void>
  /** Takes this proof away again; one that is not there is no error. */
  cleanup(proof: AcmeProof): Awaitable<void>
}
/** A CA with its account. An engine that issues by itself is to use the first one. */
export interface AcmeAuthority {
  /** URL of its directory (RFC 8555 section 7.1.1). */
  readonly directory: string
  readonly email?: string
  /** PEM of the roots by which the directory's own TLS is verified; absent: the system's. */
  readonly trust?: string
  /** The path of a file with that. */
  readonly trustFile?: string
  /** The URL of the proxy by which it is asked, or `false`: by none; absent: as HTTPS_PROXY and NO_PROXY say. */
  readonly proxy?: string | false | undefined
  /** External account binding (RFC 8555 section 7.3.4): `key` is base64url. */
  readonly eab?: { readonly id: string; readonly key: string }
  /** The names that the CA answers to in CAA records; absent: what its directory says. */
  readonly caa?: readonly string[] | undefined
}
/** An account with a CA. */
export interface AcmeAccount {
  readonly directory: string
  /** Absent before the first order. */
  readonly url?: string
  /** `deactivated`: the CA no longer serves it, and only a new one helps. */
  readonly state: 'none' | 'valid' | 'deactivated'
}
/** Orders certificates from ACME CAs (RFC 8555): accounts, limits, checks beforehand, several CAs in order. */
export interface Acme {
  /** The CAs in order of preference, at least one. */
  readonly authorities: readonly AcmeAuthority[]
  /** Waits in a queue that is fair among tenants where a limit of the CA is reached. Rejects with a code of its own for each thing that can be wrong. */
  obtain(
    order: AcmeOrder,
    signal: AbortSignal,
  ): Promise<Pick<Certificate, 'chain' | 'key' | 'notBefore' | 'notAfter'> & { readonly warning?: GatewayError }>
  /** When the CA wants it renewed (RFC 9773), or `undefined` where it does not say. */
  renewAt(certificate: Certificate, signal: AbortSignal): Promise<Date | undefined>
  revoke(certificate: Certificate, signal: AbortSignal): Promise<void>
  /** One for each of `authorities`. */
  accounts?(): readonly AcmeAccount[]
  /** Makes another account, with a key of its own, in the place of the one with this CA. Rejects with NOT_FOUND for a CA that is not in the config. */
  newAccount?(directory: string, signal: AbortSignal): Promise<AcmeAccount>
  /** What is left, by our own count, of the CA's limits that an order for these names takes from. */
  budget?(names: readonly string[]): readonly {
    /** In words, such as "orders in 3 hours". */
    readonly limit: string
    readonly left: number
    readonly of: number
    /** When there is more, where nothing is left. */
    readonly again?: Date
  }[]
}
export const Acme = capability<Acme>('acme')

/** IP addresses as text, any spelling of RFC 5952 and without a prefix length; `domain` a host name. */
export interface PublicConfig {
  readonly ipv4?: string
  readonly ipv6?: string
  readonly domain?: string
}
/** What the node is to the outside. `undefined`: no public config, so no FQDN workload; no domain, so no name workload. */
export interface NodeFacts {
  publicConfig(signal: AbortSignal): Awaitable<PublicConfig | undefined>
  /** Calls back with the new facts whenever they are found changed; the answer ends that. Absent where they never change. */
  watch?(changed: (config: PublicConfig | undefined) => void): () => void
}
export const NodeFacts = capability<NodeFacts>('node-facts')

/** The other modules of a Zero-OS node, asked over zbus. */
export interface Neighbours {
  /**
   * Calls a method of an object such as `network@0.0.1` of a module. Resolves with its decoded result (null where it has none, a list
   * where it has several, 64-bit integers as bigint), or with the sentence by which the method itself refused. Rejects with
   * NEIGHBOUR_UNAVAILABLE where no usable answer came in time (10,000 ms by default), and as `signal` does: the call may still happen.
   */
  call(
    module: string,
    object: string,
    method: string,
    args: readonly unknown[],
    options: { readonly signal: AbortSignal; readonly timeout?: number },
  ): Promise<{ readonly value: unknown } | { readonly refused: string }>
}
export const Neighbours = capability<Neighbours>('neighbours')

/** Workloads that another gateway left on this machine, served on from the first start. */
export interface LeftBehind {
  /** Asked once in the life of a root: at its first start, before anything is served. Nothing is checked against them. */
  drafts(signal: AbortSignal): Awaitable<readonly Draft[]>
}
export const LeftBehind = capability<LeftBehind>('left-behind')

/**
 * Raw counters of the engine, in bytes since `epoch` began; `epoch` changes whenever they may have started again from zero.
 * Within an epoch the figure of a workload only grows, over a change of its route and over delete and re-create while the old
 * connections drain. With its `removed` event, which carries the last figure, the engine forgets it: set again, it counts from zero.
 * A workload that saw no traffic may be absent.
 */
export interface Traffic {
  /** `since`: the `mark` of an earlier answer; workloads whose figure has not changed since may then be absent. */
  read(
    signal: AbortSignal,
    since?: number,
  ): Awaitable<{
    readonly epoch: string
    readonly bytes: ReadonlyMap<WorkloadId, Bytes>
    /** Given by engines that can leave out what did not change. One of an earlier epoch is none: everything is told. */
    readonly mark?: number
  }>
}
export const Traffic = capability<Traffic>('traffic')

/** What one check of a name found. */
export interface Finding {
  readonly check: 'name' | 'address' | 'apex' | 'delegation' | 'challenge' | 'caa' | 'port-80' | 'port-443' | 'budget'
  /** `bad`: no certificate comes, or nobody gets here, as it is. `unknown`: nobody answered who would know. */
  readonly state: 'ok' | 'warn' | 'bad' | 'unknown'
  /** A sentence. Names in it may be a stranger's. */
  readonly seen: string
  /** What to do, with the line to add to the zone where one is missing. */
  readonly fix?: string
}
/** Looks at a name as the outside sees it. */
export interface Doctor {
  /** `name` is a host, or one label under the domain. Rejects with INVALID_FQDN for what is neither. */
  examine(name: string, signal: AbortSignal): Promise<{ readonly host: string; readonly findings: readonly Finding[] }>
  /** The lines of the domain's zone that make this node a full gateway. Rejects with NO_PUBLIC_CONFIG or NO_DOMAIN. */
  records(signal: AbortSignal): Promise<readonly string[]>
}
export const Doctor = capability<Doctor>('doctor')

/** The HTTP API as a fetch handler, to mount in any server. */
export interface Fetch {
  fetch(request: Request): Awaitable<Response>
}
export const Fetch = capability<Fetch>('fetch')
