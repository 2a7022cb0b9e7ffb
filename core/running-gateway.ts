import type { Gateway } from './gateway-interface.ts'
import type { HandOver } from './hand-over.ts'
import type { Sockets } from './listeners.ts'
import type { Bytes, WorkloadId } from './operation.ts'
import type { Log } from './services.ts'

export interface RunningGateway extends Gateway {
  /** The HTTP API as a handler, to mount in any server; without its plugin it answers 501 HTTP_API_DISABLED. */
  fetch(request: Request): Promise<Response>
  /** Transports close first, turns end, the engine drains. Safe to call twice. */
  close(): Promise<void>
  /**
   * Gives everything up but serving, so that a gateway in another process can start on the same root and sockets: transports close,
   * operations that came end, the store closes. Rejects where the engine cannot be shared, and then nothing has changed.
   */
  handOver(): Promise<HandOver>
  /** Has the engine open the files of its logs anew, for log rotation by rename. */
  reopenLogs(): Promise<void>
  /** Adds bytes that the gateway before this one still carried. */
  inheritBytes(deltas: ReadonlyMap<WorkloadId, Bytes>): Promise<void>
}
export interface CreateOptions {
  /** Goes before the config's own. Default `.gateway` in the working folder. */
  readonly root?: string
  /** Where the log goes; default nowhere. */
  readonly log?: Log
  /** Where `reload` gets the changed config; absent, `reload` is refused. */
  readonly source?: () => Promise<unknown>
  /** Where listening sockets come from; default this process. */
  readonly sockets?: Sockets
}
