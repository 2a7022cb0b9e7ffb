import type { Health, Logged } from './event.ts'
import type { Answers, CertificateState, Op, Operation, Problem, Route, SetOp, WorkloadId } from './operation.ts'

/** What transports stand on. */
export interface Gateway {
  /** Carries the operation out. Rejects with a GatewayError. */
  dispatch<K extends Operation['do']>(op: Op<K>, options?: DispatchOptions): Promise<Answers[K]>
  /** What a Set would do, and does not. */
  plan(op: SetOp, signal?: AbortSignal): Promise<Plan>
  readonly routes: Routes
  events(since?: number, signal?: AbortSignal): AsyncIterable<Logged>
  readonly certificates: {
    list(): readonly CertificateState[]
    /** The one of a route; `undefined` where its TLS ends elsewhere, or the engine gets it by itself. */
    of(route: Route): CertificateState | undefined
    renew(id: string): Promise<void>
    /** Behind a new certificate where workloads use it; where none is to be had the old one is revoked all the same. */
    revoke(id: string): Promise<void>
  }
  status(): Status
  /** Counts since this process began. */
  stats(): readonly Stat[]
  /** All that is kept, as it is at one moment, as lines of a backup. Private keys are in it. */
  backup(): Promise<Iterable<string>>
  /** Takes the changed config file; the old one runs on where the new one is refused. Only where the gateway was started from a file. */
  reload(): Promise<ReloadReport>
}
export interface DispatchOptions {
  /** Answers once the engine serves it with its certificate. */
  readonly wait?: 'live'
  readonly signal?: AbortSignal
  /** Seconds; never more than the core's own. */
  readonly deadline?: number
  /** Called when a change is durable and the engine has taken it, before the answer where that waits for more. */
  readonly onApplied?: () => void
}
export interface Plan {
  readonly route?: Route
  /** The route that is in place now. */
  readonly current?: Route
  readonly problems: readonly Problem[]
}
export interface Status {
  readonly ready: boolean
  readonly version: string
  readonly root: string
  readonly started: Date
  readonly routes: number
  /** Operations that wait or run now. */
  readonly pending: number
  readonly certificates: {
    readonly ready: number
    readonly pending: number
    readonly failed: number
    /** The first ten whose last try failed. */
    readonly failing: readonly { names: readonly string[]; state: string; error: string; code: string; fix: string }[]
  }
  readonly plugins: readonly { name: string; state: Health; reason?: string; facts?: Readonly<Record<string, string | number>> }[]
}
/** How many operations of a kind ended so (`ok` or an error code), and how long they took, as a histogram. */
export interface Stat {
  readonly do: Operation['do']
  readonly outcome: string
  readonly count: number
  readonly seconds: number
  /** Cumulative counts by upper bound in seconds. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
}
export interface ReloadReport {
  readonly kept: readonly string[]
  readonly replaced: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}
/** Read only: who holds what. */
export interface Routes {
  readonly size: number
  get(id: WorkloadId): Route | undefined
  byHost(host: string): Route | undefined
  count(tenant: string): number
  /** In order of id; up to `limit` after `after`. */
  list(after?: WorkloadId, limit?: number): readonly Route[]
  all(): Iterable<Route>
}
