import type { Plugin } from '../../../core/index.ts'

/** What a case asks of the engine beyond its defaults. An engine that cannot do it fails that case, and says so in `cannot`. */
export interface Settings {
  /** Seconds that open connections have after a delete and at close. Default 2 in the suite. */
  readonly drain?: number
  readonly limits?: Limits
  /** Callers (addresses or CIDR) that speak the PROXY protocol, version 1 or 2, on both ports. */
  readonly acceptProxy?: readonly string[]
  /** Callers (addresses or CIDR) whose X-Forwarded-* is kept and added to. */
  readonly trustedProxies?: readonly string[]
  /** Passthrough backends are told the client's address by a PROXY protocol header of this version. */
  readonly sendProxy?: 'v1' | 'v2'
  /** Default: the engine's own, at least TLSv1.2. */
  readonly minTls?: 'TLSv1.2' | 'TLSv1.3'
  /** A file to which one JSON document a line is written for every request. Off by default. */
  readonly accessLog?: string
  /** gRPC calls (by their content type) reach `http://` backends over HTTP/2 without TLS, by prior knowledge. */
  readonly grpc?: true
  /** PEM of the authority that certificates of `https://` backends must come from. Default: they are not verified. */
  readonly backendCa?: string
  /** Seconds after which a backend that was left out is tried again. Default 1 in the suite. */
  readonly retryAfter?: number
  /** Backends are asked for this path; one that does not answer 2xx is left out. */
  readonly health?: { readonly path: string; readonly seconds: number }
}
export interface Limits {
  /** Of a request's head, in bytes. */
  readonly headerBytes?: number
  /** Until a request's head is whole. */
  readonly headerSeconds?: number
  /** Until a ClientHello is whole and the handshake done. */
  readonly handshakeSeconds?: number
  /** That a client connection may have no request open. */
  readonly idleSeconds?: number
  /** Client connections open at once. */
  readonly connections?: number
  /** Of a request's body. */
  readonly bodyBytes?: number
  /** Until a backend's answer begins. */
  readonly responseSeconds?: number
}
/** Where the engine of a case is to live. */
export interface Where extends Settings {
  /** Free ports, to listen on at every one of `addresses`. */
  readonly http: number
  readonly https: number
  readonly addresses: readonly ['127.0.0.1', '::1']
  /** An empty folder of this case, the same after a restart; the gateway's own is another. */
  readonly root: string
  readonly drain: number
  readonly retryAfter: number
}
/** The engine, or a list of plugins: the engine and what it needs. */
export type EngineFactory = (where: Where) => Plugins | Promise<Plugins>
type Plugins = Plugin<'engine'> | readonly Plugin[]
