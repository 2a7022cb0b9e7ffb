import type { Bytes, Operation, Route, WorkloadId } from './operation.ts'

export type Event =
  /** Durable and taken by the engine. `previous`: the route that it replaced. */
  | { readonly type: 'applied'; readonly route: Route; readonly previous?: Route }
  /** A Set asked for what is in place already. */
  | { readonly type: 'confirmed'; readonly route: Route }
  /** The engine serves the route to clients; with `error` it gave up making it so. */
  | { readonly type: 'live'; readonly id: WorkloadId; readonly error?: Error }
  /** A Delete was made durable and no new request is taken; open connections drain behind it. */
  | { readonly type: 'deleted'; readonly route: Route }
  /** After `deleted`: the last connection is gone, and `bytes` is the last figure of the engine's counter (see Traffic). */
  | { readonly type: 'removed'; readonly route: Route; readonly bytes: Bytes }
  | { readonly type: 'failed'; readonly do: Operation['do']; readonly id?: WorkloadId; readonly error: Error }
  | {
      readonly type: 'certificate'
      readonly id: string
      readonly names: readonly string[]
      readonly state: 'pending' | 'ready' | 'failed' | 'dropped'
      readonly reason?: string
    }
  | { readonly type: 'engine'; readonly state: 'up' | 'restarted' | 'down'; readonly reason?: string }
  | { readonly type: 'plugin'; readonly name: string; readonly state: Health; readonly reason?: string }
  | { readonly type: 'reloaded' }
  | { readonly type: 'alarm'; readonly code: string; readonly message: string; readonly fix: string }
  /** Only a reader sees it, first: events between the asked `since` and the next one are no longer kept. */
  | { readonly type: 'gap' }

/** `seq` grows over restarts too: what a reader resumes from. */
export type Logged = Event & { readonly seq: number; readonly at: Date }
export type Health = 'ok' | 'degraded' | 'down'
