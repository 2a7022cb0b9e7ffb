import type { Duplex } from 'node:stream'
import type { Access } from './access-log.ts'
import type { Exchange } from './exchange.ts'
import type { Awake, Flow } from './table.ts'

/** Times in ms, sizes in bytes; 0: no limit. */
export interface FlightLimits {
  readonly bodyBytes: number
  readonly bodyTime: number
  readonly responseTime: number
  readonly stallTime: number
  readonly tunnelTime: number
  readonly halfClosedTime: number
}

/** What all flights share. */
export interface FlightDeck {
  readonly limits: FlightLimits
  /** Says in the log what went wrong for a workload. */
  complain(awake: Awake, message: string, status?: number): void
  /** Told of every request once it is over, where there is an access log. */
  readonly access: ((access: Access) => void) | undefined
  /** From now on the connection passes bytes both ways. */
  tunnelled(socket: Duplex): void
  began(awake: Awake, flow: Flow): void
  ended(awake: Awake, flow: Flow): void
  /** Bytes of a flow that has ended were counted: a body goes on for a while behind its answer. */
  countedLate(awake: Awake): void
  /** Whether the backend is to be spoken to in HTTP/2. */
  overHttp2(exchange: Exchange): boolean
}
