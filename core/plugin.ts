import type { Socket } from 'node:net'
import type { Capability } from './capability.ts'
import type { GatewayError } from './errors.ts'
import type { Event, Health } from './event.ts'
import type { Gateway, Routes } from './gateway-interface.ts'
import type { Bytes, Certificate, Change, Draft, Op, Problem, Route, Tls, WorkloadId } from './operation.ts'
import type { OwnEndpoint } from './own-endpoints.ts'

type Awaitable<T> = T | Promise<T>

/** One durable change. A store applies the writes of one commit together or not at all. */
export type Write =
  | Change
  | { readonly certificate: Certificate }
  | { readonly drop: Certificate['id'] }
  /** Sets the sums of these workloads; `null` forgets one. */
  | { readonly ledger: ReadonlyMap<WorkloadId, Bytes | null> }
  | { readonly state: string; readonly value: Uint8Array | null }
export interface Stored {
  readonly routes: readonly Route[]
  readonly certificates: readonly Certificate[]
  readonly bytes: ReadonlyMap<WorkloadId, Bytes>
  readonly state: ReadonlyMap<string, Uint8Array>
}

/** An operation that wants to begin. */
export interface Asked {
  readonly do: 'set-fqdn' | 'set-name' | 'delete'
  readonly id: WorkloadId
  /** Whom limits count by, as `Draft.tenant` has it. */
  readonly tenant: string
}
export interface Admission {
  /** When it may begin; absent: now. */
  readonly ready?: Promise<void>
  /** Told once when it is over, also where it never began. */
  end(): void
}

/** One row per kind: the hooks that it must fill, and how the core calls them. */
export interface Hooks {
  /** One owner per operation. Throws a GatewayError where the operation cannot be. */
  workload: { resolve: { [K in 'set-fqdn' | 'set-name']?: (op: Op<K>, signal: AbortSignal) => Awaitable<Draft> } }
  /** All run together; all problems go back together. */
  policy: {
    check(draft: Draft, signal: AbortSignal): Awaitable<readonly Problem[]>
    /**
     * Asked once for every Set and Delete as it comes, before anything of it runs; a plan is not asked about. What it throws refuses the
     * operation. Those of one tenant become ready in the order in which they came.
     */
    admit?(asked: Asked): Admission
  }
  /** At most one: makes the backends of a private network reachable. */
  reach: {
    /** Their addresses as the engine can dial them, in order. */
    reach(draft: Draft, signal: AbortSignal): Awaitable<readonly string[]>
    /** Frees what no route dials any more; called after apply with what is left, so an update never cuts the old first. */
    release(id: WorkloadId, keep: readonly string[]): Awaitable<void>
  }
  resolver: {
    /** Asked in config order, the first answer wins. Pure, so a dry run is free; called for every route at start. */
    plan(draft: Draft): Tls | undefined
    /** `slow` (default): may take minutes and ask others, a Set does not wait. `instant`: milliseconds and asks nobody, a Set waits for it. */
    readonly pace?: 'slow' | 'instant'
    /** False: the certificate is not kept in the store but obtained again at start. Default true. */
    readonly durable?: boolean
    /** True: it has a queue of its own and may be asked for any number at once, and how long each takes is its own to limit. Default false. */
    readonly queues?: boolean
    /** The label of an `instant` resolver whose certificate is served until the first one of this resolver is there; absent: handshakes are refused. */
    readonly meanwhile?: string
    /** `warning`: what is wrong although it was obtained, shown with it. */
    obtain?(
      names: readonly string[],
      signal: AbortSignal,
      replaces?: Certificate,
    ): Promise<Certificate & { readonly warning?: GatewayError }>
    /** When to renew, asked again every few hours; absent or `undefined`: when a third of the life is left. */
    renewAt?(certificate: Certificate, signal: AbortSignal): Awaitable<Date | undefined>
    revoke?(certificate: Certificate, signal: AbortSignal): Promise<void>
  }
  /** At most one. Idempotent: applying twice is applying once, removing nothing succeeds. */
  engine: {
    /** Brings the whole table to this, dropping what is not in it: once at start, and after the engine itself restarted. */
    restore(routes: Iterable<Route>): Awaitable<void>
    /**
     * Resolves when the engine has taken the change; rejects where it refuses it, and the workload is then put back as it was. A `put`
     * replaces whatever the workload id had, also under another host. A removed route takes no new request from then on; its open
     * connections drain after this call. The engine emits `live` for each put and `removed` for each remove when they come true.
     *
     * Calls for different workloads overlap, with each other and with `install`: one that takes long holds up nobody else. Calls for one
     * workload or one host run in order, one at a time. Changes that become ready together are handed over in one turn of the event loop,
     * so that an engine may carry them out together. `signal` aborts after 45 s.
     */
    apply(change: Change, signal: AbortSignal): Awaitable<void>
    /** True where the engine gets this certificate by itself (Traefik's own ACME). */
    issues(tls: Tls): boolean
    /** At stop, and when a reload replaces the engine: takes no new connection, and returns when the open ones are done or were cut at the
     *  engine's own deadline. Counters stay readable until `close`. Absent: `close` alone ends it. */
    drain?(): Awaitable<void>
    /**
     * A reload puts an engine of another kind in its place: gives up its ports, and goes on with what is open. Called when the other one
     * needs the ports, and resolves once they are free or about to be. `resume` takes them again where that reload then fails.
     */
    readonly ports?: { release(): Awaitable<void>; resume(): Awaitable<void> }
    /** True: all that it listens on comes from `listen`, so another process can serve the same routes beside it while this one drains. */
    readonly beside?: boolean
    /** Opens the files of its own logs anew, for log rotation by rename. Asked at SIGUSR1 and at a reload. */
    reopenLogs?(): Awaitable<void>
    /** All that is to be served, whole: what is not in it goes. */
    install(certificates: readonly Certificate[]): Awaitable<void>
  }
  /** At most one. `commit` returns when a crash can no longer lose it; calls made together may share one sync. */
  store: { load(): Awaitable<Stored>; commit(writes: readonly Write[]): Promise<void> }
  /** At most one. What `observe` throws is logged and dropped: a watcher never breaks a route. */
  metrics: {
    observe(event: Event): void
    report(signal: AbortSignal): Awaitable<ReadonlyMap<WorkloadId, Bytes>>
    /** Brings the ledger up to what is counted now. Asked before a backup. */
    settle?(): Awaitable<void>
  }
  /** Starts last, closes first. */
  transport: { listen(gateway: Gateway): Awaitable<void> }
  /** No hooks: these live through the capability that they provide. */
  'dns-provider': object
  /** `reloaded`: the operator reloaded, and what the plugin remembers of others is to be asked anew. */
  service: { reloaded?(): void }
}
export type Kind = keyof Hooks

// biome-ignore lint/suspicious/noExplicitAny: a list of capabilities of unlike types has no other bound
type Capabilities = Record<string, Capability<any>>
export type Given<N extends Capabilities> = { readonly [K in keyof N]: N[K] extends Capability<infer T> ? T : never }
/** `any` is a plugin of which only the label is known: what it offers, if anything, is found out at run time. */
type Offer<P extends Capabilities> = 0 extends 1 & P
  ? { api?: Readonly<Record<string, unknown>> }
  : keyof P extends never
    ? unknown
    : { api: Given<P> }

/** What the core gives every plugin. */
export interface Core {
  /** Writes to the gateway's log under the plugin's name. Never pass a secret. */
  readonly log: (message: string, fields?: object) => void
  /** The folder of this gateway's state. */
  readonly root: string
  /** Aborted when the gateway stops. */
  readonly signal: AbortSignal
  /** A plugin that closes while this is `ready` was taken out or replaced by a reload; else the gateway itself did not start, or stops. */
  readonly phase: () => 'starting' | 'ready' | 'stopping'
  readonly emit: (event: Event) => void
  readonly routes: Routes
  /** Says how the plugin is, for `gateway status` and `/readyz`; `facts` are shown with it (addresses, versions). */
  readonly health: (state: Health, reason?: string, facts?: Readonly<Record<string, string | number>>) => void
  /** Keeps values of the plugin's own durably. */
  readonly state: {
    get(key: string): Uint8Array | undefined
    set(key: string, value: Uint8Array | null): Promise<void>
  }
  /** The sums of the traffic ledger, which the core keeps over restarts and reloads. Written by plugins of kind metrics. */
  readonly ledger: {
    readonly sums: ReadonlyMap<WorkloadId, Bytes>
    /** Counts at once in `sums`, resolves when that is durable. What could not be written is written with the next call. */
    add(deltas: ReadonlyMap<WorkloadId, Bytes>): Promise<void>
    forget(ids: Iterable<WorkloadId>): Promise<void>
  }
  /** Names a file below the root that belongs into a backup: what a store would lose. */
  readonly keep: (path: string) => void
  /** For resolvers: have the certificates that are in use obtained again now, such as after a file changed. */
  readonly refresh: () => void
  /**
   * Listens on TCP or a unix socket. The host owns the socket, so that a reload hands it over without closing it:
   * the newest claim of an address gets the connections. A claim of `setup` gets none before all routes are there. Sockets allow half-open and have no delay set.
   * Rejects with PORT_IN_USE or LISTEN_FAILED.
   */
  readonly listen: (address: Address, accept: (socket: Socket) => void) => Promise<Listener>
  /** TCP ports that no backend may name, whatever a policy allows. Ports of `listen` are among them without a declaration. */
  readonly endpoints: {
    /**
     * Declares the ports on which processes of this plugin accept connections, and servers that only the gateway may use, such as its
     * broker. Replaces what the plugin declared before; withdrawn when it closes.
     */
    declare(endpoints: readonly OwnEndpoint[]): void
    /** Those of all running plugins, for policies. */
    all(): readonly OwnEndpoint[]
  }
}
export type Address = { readonly host: string; readonly port: number } | { readonly path: string; readonly mode?: number }
export interface Listener {
  /** The port as bound, where 0 was asked; 0 for a unix socket. */
  readonly port: number
  /** Takes no more connections here. Ends the socket itself unless a later claim holds it. */
  close(): Promise<void>
}

/** A process that a gateway left serving when it went. */
export interface LeftRunning {
  /** Of the service, such as `traefik`. */
  readonly name: string
  /** 0 where it does not run just now, and would be started again. */
  readonly pid: number
  /** Ends it for good; one that is gone is ended. */
  end(): Promise<void>
}

/**
 * A plugin is a label, checked before anything runs, and one function, run once, in the order of needs.
 * Two plugins of the same name and with deeply equal `options` are the same to a reload, which then keeps the running one.
 */
// biome-ignore lint/suspicious/noExplicitAny: any plugin is a plugin whatever it needs and provides
export interface Plugin<K extends Kind = Kind, N extends Capabilities = any, P extends Capabilities = any> {
  readonly name: `${NoInfer<K>}/${string}`
  readonly kind: K
  readonly options?: unknown
  readonly needs?: N
  readonly provides?: P
  /**
   * What runs on of what this plugin started for a gateway of this root, which itself does not run: `gateway rollback` ends it. Changes
   * nothing by itself. Rejects where nobody can say.
   */
  leftRunning?(root: string): Awaitable<readonly LeftRunning[]>
  /** Within `startTimeout` of the config (30 s by default). `close` undoes what setup opened and ends within 35 s. */
  setup(given: Given<N> & Core): Awaitable<Hooks[K] & Offer<NoInfer<P>> & { close?(): Awaitable<void> }>
}
export const definePlugin = <
  K extends Kind,
  // biome-ignore lint/complexity/noBannedTypes: the empty record is what no needs are
  N extends Capabilities = {},
  // biome-ignore lint/complexity/noBannedTypes: the same
  P extends Capabilities = {},
>(
  plugin: Plugin<K, N, P>,
): Plugin<K, N, P> => plugin
