import { timeAwake } from '../../../lib/patience.ts'
import type { Access } from './access-log.ts'
import type { Exchange } from './exchange.ts'
import type { FlightLimits } from './flight-deck.ts'
import type { Awake } from './table.ts'

/** How far a request is. Moments in ms by `timeAwake`. */
export interface Stage {
  /** Nothing of it yet, its head sent or about to be, all of it given to the client. */
  answer: 'none' | 'begun' | 'done'
  /** The answer was a 101. */
  tunnel: boolean
  /** Of a tunnel: one side has stopped sending. */
  halfClosed: boolean
  /** Some of the request's body has not come yet. */
  bodyLeft: boolean
  began: number
  /** When a byte last came or went. */
  moved: number
}

/** Whom a request keeps waiting for too long: its client to send the body, its backend to answer, or nobody in particular. */
export const overdue = (limits: FlightLimits, at: Readonly<Stage>, now: number): 'client' | 'backend' | 'idle' | undefined => {
  const over = (limit: number, since: number) => limit > 0 && now - since > limit
  if (at.tunnel) return over(at.halfClosed ? limits.halfClosedTime : limits.tunnelTime, at.moved) ? 'idle' : undefined
  if (at.bodyLeft && at.answer !== 'done' && over(limits.bodyTime, at.began)) return 'client'
  if (at.answer === 'none' && !at.bodyLeft) return over(limits.responseTime, at.moved) ? 'backend' : undefined
  return over(limits.stallTime, at.moved) ? 'idle' : undefined
}

/** The stage of a request and its bytes, which count for its workload as they come and go. */
export class Progress implements Stage {
  answer: Stage['answer'] = 'none'
  tunnel = false
  halfClosed = false
  bodyLeft: boolean
  began = timeAwake()
  moved = this.began
  /** Of the answer; 0: there is none yet. */
  status = 0
  received = 0
  /** Bytes of the answer's body given to the client's connection, sent or not. */
  given = 0
  readonly #meter: Awake['meter']
  readonly #came = performance.now()

  constructor(meter: Awake['meter'], bodyLeft: boolean) {
    this.#meter = meter
    this.bodyLeft = bodyLeft
  }

  count(way: 'request' | 'response', bytes: number): void {
    this.#meter[way] += bytes
    if (way === 'response') this.given += bytes
    else this.received += bytes
    this.moved = timeAwake()
  }
  /** It is over: what was given and never sent does not count. */
  uncount(unsent: number): void {
    this.#meter.response -= unsent
    this.given -= unsent
  }
  /** What the access log says of it. */
  told(awake: Awake, exchange: Exchange, backend: string | undefined): Access {
    const { method, target, client, version } = exchange
    return {
      workload: awake.id,
      host: awake.route.host,
      client: client.address,
      protocol: `HTTP/${version}`,
      method,
      path: target,
      status: this.status,
      ...(backend !== undefined && { backend }),
      request: this.received,
      response: this.given,
      milliseconds: Math.round(performance.now() - this.#came),
    }
  }
}
