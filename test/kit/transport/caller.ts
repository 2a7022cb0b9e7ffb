import type { Plugin, RunningGateway } from '../../../core/index.ts'

/** What a caller got for an operation that was refused. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** One of `errorCodes`, as the transport carried it. */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The fields of a Set as a caller sends them, right or wrong; one that is undefined is not sent. */
export interface Asked {
  readonly fqdn?: unknown
  readonly name?: unknown
  readonly backends?: unknown
  readonly passthrough?: unknown
  readonly network?: unknown
}
/** A client of the transport, as a program at the other end of it would be. Rejects with Refused where the gateway refuses. */
export interface Caller {
  /** `do` says which of the two Sets is meant, whatever the fields are. Resolves with the host where the transport tells it. */
  set(what: 'set-fqdn' | 'set-name', id: unknown, fields: Asked): Promise<string | undefined>
  delete(id: unknown): Promise<void>
  metrics(): Promise<Readonly<Record<string, { readonly request: number; readonly response: number }>>>
  /** What a Set would do: the codes of all that stands against it. Absent where the transport has no dry run. */
  readonly plan?: (what: 'set-fqdn' | 'set-name', id: unknown, fields: Asked) => Promise<readonly string[]>
  close(): unknown
}
export interface Stand {
  /** Free ports for the engine. */
  readonly http: number
  readonly https: number
  /** An empty folder. */
  readonly root: string
}
export interface TransportUnderTest {
  /**
   * The gateway behind the transport: any FQDN, names under `gw.test`, termination (a certificate of any kind) and passthrough, byte
   * metrics, a store and an engine; backends on 127.0.0.1 are allowed, link-local and multicast ones are not, and there is no `reach`.
   */
  readonly plugins: (stand: Stand) => readonly Plugin[] | Promise<readonly Plugin[]>
  /** The transport, whatever it needs around it, and the way to call it. `close` is called once the gateway is closed. */
  readonly transport: (stand: Stand) => Promise<{
    readonly plugin: Plugin<'transport'>
    readonly caller: (gateway: RunningGateway) => Caller | Promise<Caller>
    readonly close?: () => unknown
  }>
  /** Rows of the table of bad input that callers of this transport cannot send, or that it answers otherwise on purpose. */
  readonly inexpressible?: readonly string[]
  /** Cases that it cannot pass, with the reason; they are run, and must fail. */
  readonly cannot?: Readonly<Record<string, string>>
}
