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
}

/** What all flights share. */
export interface FlightDeck {
  readonly limits: FlightLimits
  /** Says in the log what went wrong for a workload. */
  complain(awake: Awake, message: string, status?: number): void
  /** Told of every request once it is over, where there is an access log. */
  readonly access: ((access: Access) => void) | undefined
  ended(awake: Awake, flow: Flow): void
  /** Whether the backend is to be spoken to in HTTP/2. */
  overHttp2(exchange: Exchange): boolean
}

/** How far a request is. Moments in ms. */
export interface Progress {
  /** Nothing of it yet, its head sent or about to be, all of it given to the client. */
  answer: 'none' | 'begun' | 'done'
  /** The answer was a 101. */
  tunnel: boolean
  /** Some of the request's body has not come yet. */
  bodyLeft: boolean
  began: number
  /** When a byte last came or went. */
  moved: number
}

/** Whom a request keeps waiting for too long: its client to send the body, its backend to answer, or nobody in particular. */
export const overdue = (limits: FlightLimits, at: Readonly<Progress>, now: number): 'client' | 'backend' | 'idle' | undefined => {
  const over = (limit: number, since: number) => limit > 0 && now - since > limit
  if (at.tunnel) return over(limits.tunnelTime, at.moved) ? 'idle' : undefined
  if (at.bodyLeft && at.answer !== 'done' && over(limits.bodyTime, at.began)) return 'client'
  if (at.answer === 'none' && !at.bodyLeft) return over(limits.responseTime, at.moved) ? 'backend' : undefined
  return over(limits.stallTime, at.moved) ? 'idle' : undefined
}
