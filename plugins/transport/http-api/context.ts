import type { Context as HonoContext } from 'hono'
import type { Acme, Doctor, Gateway } from '../../../core/index.ts'
import type { Settings } from './options.ts'

/** What the handlers of one API stand on. */
export interface Context {
  readonly gateway: Gateway
  readonly doctor: Doctor | undefined
  readonly acme: Acme | undefined
  readonly settings: Settings
  readonly log: (message: string, fields?: object) => void
  /** Aborted when the API closes: streams end then. */
  readonly signal: AbortSignal
}

/** How a request came: `socket` is the unix socket and has full rights; `mounted` came through the capability. */
export type Via = 'socket' | 'tcp' | 'mounted'
export interface Env {
  Bindings: { via: Via }
  Variables: {
    /** Whose share of limits the request takes: its token, or that of all who need none. Absent: the operator's socket. */
    caller?: object
  }
}
export type Ask = HonoContext<Env>
