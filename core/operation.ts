export type WorkloadId = string & { readonly brand: 'WorkloadId' }

/** What every Set carries. */
export interface Wanted {
  readonly id: WorkloadId
  /** `http://ip[:port]` or `https://ip:port`; for passthrough `https://ip:port` or `ip:port`. */
  readonly backends: readonly string[]
  readonly passthrough: boolean
  /** A private network of the tenant's in which the backends live. */
  readonly network?: string
}

interface Operations {
  'set-fqdn': Wanted & { readonly fqdn: string }
  'set-name': Wanted & { readonly name: string }
  delete: { readonly id: WorkloadId }
  metrics: object
}
/** What a caller may ask for. Transports make it with `parseOperation`; nothing behind them checks shape again. */
export type Op<K extends keyof Operations> = { readonly do: K } & Operations[K]
export type Operation = { [K in keyof Operations]: Op<K> }[keyof Operations]
export type SetOp = Op<'set-fqdn'> | Op<'set-name'>
export interface Answers {
  'set-fqdn': Route
  'set-name': Route
  delete: undefined
  metrics: ReadonlyMap<WorkloadId, Bytes>
}

/** How a CA is shown who holds a name: RFC 8555 sections 8.3 and 8.4, RFC 8737. */
export type ChallengeType = 'http-01' | 'dns-01' | 'tls-alpn-01'

/** Who ends TLS for a host, and by which certificate. */
export type Tls =
  | { readonly mode: 'passthrough' }
  | {
      readonly mode: 'terminate'
      /** The label of the resolver plugin that gets the certificate, such as `local` or `dnsresolver`. */
      readonly resolver: string
      /** DNS names of the certificate; equal lists share one certificate. */
      readonly names: readonly string[]
      readonly challenge?: ChallengeType
    }

/** An operation whose host is known. `host` is canonical; `zone` is the gateway's domain where the host is a name under it. */
export type Draft = Readonly<
  Wanted & {
    host: string
    zone?: string
    /** The twin where ids carry one (`twin-contract-name`), else the id itself: what limits and budgets count by. */
    tenant: string
  }
>

/** What is stored and served. `via`: what the engine dials where `reach` bridged the backends; not stored, made anew at every start. */
export type Route = Draft & { readonly tls: Tls; readonly via?: readonly string[] }
export type Change = { readonly put: Route } | { readonly remove: Route }

/** Something that stands against a Set, with what to do about it. `code` is one of `errorCodes`. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly fix: string
}

/** `id` names it durably; `chain` (leaf first) and `key` are PEM. */
export interface Certificate {
  readonly id: string
  readonly resolver: string
  readonly names: readonly string[]
  readonly chain: string
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A certificate, or the lack of it, as `gateway certs` shows it. */
export interface CertificateState {
  readonly id: string
  readonly resolver: string
  readonly names: readonly string[]
  readonly state: 'pending' | 'ready' | 'failed'
  readonly users: number
  readonly certificate?: Certificate
  /** When it is renewed, or tried again. */
  readonly next?: Date
  /** Why it is here. */
  readonly why: string
  /** What went wrong last: the sentence, its code, and what to do. */
  readonly error?: string
  readonly code?: string
  readonly fix?: string
  /** The label of the resolver whose certificate is served until there is this one. */
  readonly meanwhile?: string
}

/** Bytes as the client saw them, since the workload was first set. */
export interface Bytes {
  readonly request: number
  readonly response: number
}
