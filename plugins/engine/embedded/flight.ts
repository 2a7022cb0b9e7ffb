import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Access } from './access-log.ts'
import { type Backend, type Backends, Unreachable } from './backends.ts'
import type { Exchange, Watcher } from './exchange.ts'
import { type Fields, fieldValue, responseFields } from './fields.ts'
import { Http2Call } from './http2-upstream.ts'
import { errorPage, pageFields } from './pages.ts'
import { requestFieldsH2, requestHead } from './request-head.ts'
import type { Framing } from './response-reader.ts'
import type { Awake, Flow } from './table.ts'
import { splice, type Tunnel } from './tunnel.ts'
import { type Asker, type Upstream, Wire } from './wire.ts'

/** Times in ms, sizes in bytes; 0: no limit. */
export interface FlightLimits {
  readonly bodyBytes: number
  readonly bodyTime: number
  readonly responseTime: number
  readonly stallTime: number
  readonly tunnelTime: number
}
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

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])
const none: Fields = []
const linger = 5_000

/** One request on its way: to a backend, and its answer back. */
export class Flight implements Asker, Watcher, Flow {
  readonly #deck: FlightDeck
  readonly #awake: Awake
  readonly #exchange: Exchange
  #upstream: Upstream | undefined
  /** Those of the moment when it came, whatever the route becomes. */
  #backends: Backends
  #backend: Backend | undefined
  #tried: Set<Backend> | undefined
  /** What the answer is at: nothing of it yet, its head sent or about to be, all of it given to the client. */
  #answer: 'none' | 'begun' | 'done' = 'none'
  #status = 0
  #unflushed = false
  #over = false
  #bodyLeft: boolean
  #received = 0
  /** Bytes of the answer's body given to the client's connection, sent or not. */
  #given = 0
  #tunnel: Tunnel | undefined
  #moved = performance.now()
  #began = this.#moved
  #answeredAt = 0

  constructor(deck: FlightDeck, awake: Awake, exchange: Exchange) {
    this.#deck = deck
    this.#awake = awake
    this.#exchange = exchange
    this.#backends = awake.backends
    this.#bodyLeft = exchange.body !== undefined
    awake.open.add(this)
    exchange.watch(this)
  }

  start(): void {
    const { bodyBytes } = this.#deck.limits
    const { length } = this.#exchange
    if (bodyBytes > 0 && length !== undefined && Number(length) > bodyBytes)
      this.#refuse(413, 'the body is longer than is taken here')
    else this.#go()
  }

  #go(dialOnly = false): void {
    const backend = this.#backends.pick(this.#tried)
    this.#backend = backend
    if (!backend) this.#refuse(502, 'it has no backend')
    else if (this.#deck.overHttp2(this.#exchange)) backend.call((result) => this.#reached(backend, result))
    else {
      const wire = dialOnly ? undefined : backend.take(this.#repeatable)
      if (wire) this.#send(wire)
      else backend.dial((result) => this.#reached(backend, result))
    }
  }
  get #repeatable(): boolean {
    return !this.#exchange.body && !this.#exchange.upgrade && repeatable.has(this.#exchange.method)
  }

  #reached(backend: Backend, result: Wire | ClientHttp2Session | Unreachable): void {
    if (this.#over || this.#answer !== 'none') {
      if (result instanceof Wire) backend.release(result)
    } else if (result instanceof Unreachable) this.#next(backend, result)
    else if (result instanceof Wire) this.#send(result)
    else this.#call(result, backend)
  }
  // Nothing of the request has gone out yet, so any other backend may have it: of this route, or of what it is by now.
  #next(backend: Backend, { late, message }: Unreachable): void {
    this.#tried ??= new Set()
    this.#tried.add(backend)
    const now = this.#awake.backends
    if (this.#tried.size < this.#backends.all.length) this.#go()
    else if (now !== this.#backends) {
      this.#backends = now
      this.#tried = undefined
      this.#go()
    } else this.#refuse(late ? 504 : 502, `its backend ${backend.address.text} cannot be reached: ${message}`)
  }

  #send(wire: Wire): void {
    const { method, body, upgrade } = this.#exchange
    const { head, chunked } = requestHead(this.#exchange)
    this.#upstream = wire
    this.#moved = performance.now()
    wire.send(this, head, { method, upgrade, complete: !body, chunked })
    if (body) this.#pump(wire)
  }
  #call(session: ClientHttp2Session, backend: Backend): void {
    const { body } = this.#exchange
    const scheme = backend.address.scheme === 'https' ? 'https' : 'http'
    this.#moved = performance.now()
    try {
      const call = new Http2Call(session, this, requestFieldsH2(this.#exchange, scheme), !body)
      this.#upstream = call
      if (body) this.#pump(call)
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #pump(upstream: Upstream): void {
    const { body } = this.#exchange
    const { bodyBytes } = this.#deck.limits
    body?.on('data', (chunk: Buffer) => {
      this.#count('request', chunk.length)
      if (this.#answer === 'done' || this.#over) return
      if (bodyBytes > 0 && this.#received > bodyBytes) this.#refuse(413, 'the body is longer than is taken here')
      else if (!upstream.write(chunk)) body.pause()
    })
    body?.on('end', () => {
      this.#bodyLeft = false
      if (this.#answer !== 'done' && !this.#over) upstream.end(this.#exchange.trailers())
    })
  }

  // What the backend answers.
  info(status: number, fields: Fields): void {
    this.#exchange.inform(status, responseFields(fields))
  }
  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    this.#answer = 'begun'
    this.#status = status
    this.#backend?.answered()
    this.#unflushed = true
    this.#moved = performance.now()
    const trailers = framing === 'chunked'
    this.#exchange.respond(status, reason, responseFields(fields), { bodyless: framing === 0, trailers })
  }
  data(chunk: Buffer, last: boolean): void {
    this.#unflushed = false
    this.#count('response', chunk.length)
    if (last) {
      this.#answer = 'done'
      this.#exchange.end(chunk, none)
    } else if (!this.#exchange.write(chunk)) this.#upstream?.pause()
  }
  done(trailers: Fields): void {
    this.#unflushed = false
    this.#upstream = undefined
    if (this.#answer !== 'done') {
      this.#answer = 'done'
      this.#exchange.end(undefined, trailers)
    }
    this.#discard()
  }
  #discard(): void {
    if (!this.#bodyLeft) return
    this.#answeredAt = performance.now()
    this.#exchange.body?.resume()
  }
  settled(): void {
    if (!this.#unflushed) return
    this.#unflushed = false
    this.#exchange.flush()
  }
  upgraded(fields: Fields, rest: Buffer, socket?: Socket): void {
    if (!socket) return
    this.#answer = 'done'
    this.#status = 101
    this.#backend?.answered()
    const client = this.#exchange.take([
      ...responseFields(fields),
      'Connection',
      'Upgrade',
      'Upgrade',
      fieldValue(fields, 'upgrade') ?? '',
    ])
    this.#tunnel = splice(
      { socket: client.socket, head: client.head, count: (bytes) => this.#count('request', bytes) },
      { socket, head: rest, count: (bytes) => this.#count('response', bytes) },
      () => this.gone(),
    )
  }
  #count(way: 'request' | 'response', bytes: number): void {
    this.#awake.meter[way] += bytes
    if (way === 'response') this.#given += bytes
    else this.#received += bytes
    this.#moved = performance.now()
  }
  pending(): number {
    return Math.min(this.#exchange.unsent(), this.#given)
  }
  failed(error: Error): void {
    const wire = this.#upstream
    this.#upstream = undefined
    if (this.#over) return
    const again = wire instanceof Wire && wire.idleSince > 0 && this.#repeatable && this.#answer === 'none'
    if (again) {
      this.#go(true)
      return
    }
    if (this.#answer === 'none') this.#backend?.broke()
    this.#refuse(502, `its backend ${this.#backend?.address.text} failed: ${error.message}`)
  }
  drained(): void {
    this.#exchange.body?.resume()
  }

  // What happens at the client's end.
  clientDrained(): void {
    this.#upstream?.resume()
  }
  gone(): void {
    if (this.#over) return
    this.#over = true
    this.#awake.meter.response -= this.pending()
    this.#upstream?.abort()
    this.#upstream = undefined
    const now = performance.now()
    this.#awake.used = now
    this.#deck.ended(this.#awake, this)
    if (this.#deck.access) this.#note(this.#deck.access, now)
  }
  #note(access: (access: Access) => void, now: number): void {
    const { method, target, client, version } = this.#exchange
    access({
      workload: this.#awake.id,
      host: this.#awake.route.host,
      client: client.address,
      protocol: `HTTP/${version}`,
      method,
      path: target,
      status: this.#status,
      ...(this.#backend && { backend: this.#backend.address.text }),
      request: this.#received,
      response: this.#given - this.pending(),
      milliseconds: Math.round(now - this.#began),
    })
  }

  cut(): void {
    this.#tunnel?.cut()
    this.#exchange.cut()
    this.gone()
  }
  tick(now: number): void {
    const { limits } = this.#deck
    const still = now - this.#moved
    if (this.#tunnel) {
      if (limits.tunnelTime > 0 && still > limits.tunnelTime) this.cut()
    } else if (this.#answer === 'done' && this.#bodyLeft) {
      // It has its answer and goes on sending: what comes is thrown away, for a moment.
      if (now - this.#answeredAt > linger) this.cut()
    } else if (this.#bodyLeft && limits.bodyTime > 0 && now - this.#began > limits.bodyTime)
      this.#refuse(408, 'its body took too long')
    else if (this.#answer === 'none' && !this.#bodyLeft && limits.responseTime > 0) {
      if (still > limits.responseTime) this.#refuse(504, `its backend ${this.#backend?.address.text} did not answer in time`)
    } else if (limits.stallTime > 0 && still > limits.stallTime) this.#refuse(408, 'nothing moved for too long')
  }

  #refuse(status: number, reason: string): void {
    this.#upstream?.abort()
    this.#upstream = undefined
    if (status >= 500) this.#deck.complain(this.#awake, `${status} for ${this.#awake.id}: ${reason}`, status)
    if (this.#answer !== 'none') {
      this.#exchange.cut()
      return
    }
    this.#answer = 'done'
    this.#status = status
    const page = errorPage(status)
    if (this.#exchange.method !== 'HEAD') this.#count('response', page.length)
    this.#exchange.respond(status, '', pageFields(page), { bodyless: false, trailers: false })
    this.#exchange.end(page, none)
    this.#discard()
  }
}
