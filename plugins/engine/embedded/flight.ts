import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { timeAwake } from '../../../lib/patience.ts'
import { splice, type Tunnel } from '../../../lib/splice.ts'
import type { Backend, Unreachable } from './backends.ts'
import { BufferGauge, heldBy } from './buffer-budget.ts'
import type { ClientUsage } from './client-limits.ts'
import { type BoundConnection, bindToClient, usesConnectionAuth } from './connection-auth.ts'
import type { Exchange, Watcher } from './exchange.ts'
import { type Fields, responseFields, switchingFields, trailerFields } from './fields.ts'
import type { FlightDeck } from './flight-deck.ts'
import { Http2Call } from './http2-upstream.ts'
import { answerWith } from './pages.ts'
import { overdue, Progress } from './progress.ts'
import { requestFieldsH2, requestHead } from './request-head.ts'
import { BadResponse, type Framing } from './response-reader.ts'
import { Search, type Seeker } from './search.ts'
import type { Awake, Flow } from './table.ts'
import { type Asker, type Upstream, Wire } from './wire.ts'

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])
const none: Fields = []
// Of interim responses to one request: they are written without waiting for the client to read them.
const mostInterims = 100
const mostInterimBytes = 65_536

/** One request on its way: to a backend, and its answer back. */
export class Flight implements Asker, Watcher, Flow, Seeker {
  readonly #deck: FlightDeck
  readonly #awake: Awake
  readonly #exchange: Exchange
  #upstream: Upstream | undefined
  #backend: Backend | undefined
  readonly #search: Search
  readonly #at: Progress
  readonly connectionAuth: boolean
  #unflushed = false
  #interims = 0
  #interimBytes = 0
  #over = false
  #held = false
  #tunnel: Tunnel | undefined
  /** Of a tunnel. */
  #socket: Socket | undefined
  /** Made when something waits. */
  #gauge: BufferGauge | undefined

  constructor(deck: FlightDeck, awake: Awake, exchange: Exchange) {
    this.#deck = deck
    this.#awake = awake
    this.#exchange = exchange
    this.connectionAuth = usesConnectionAuth(exchange.fields)
    this.#search = new Search(awake, this)
    this.#at = new Progress(awake.meter, exchange.body !== undefined)
    deck.began(awake, this)
    exchange.watch(this)
  }

  start(): void {
    const { bodyBytes } = this.#deck.limits
    const { length } = this.#exchange
    if (bodyBytes > 0 && length !== undefined && Number(length) > bodyBytes)
      this.#refuse(413, 'the body is longer than is taken here')
    else this.#search.go()
  }

  get usage(): ClientUsage | undefined {
    return this.#exchange.client.usage
  }

  // Of the search for a connection.
  get seeking(): boolean {
    return !this.#over && this.#at.answer === 'none'
  }
  get overHttp2(): boolean {
    return this.#deck.overHttp2(this.#exchange)
  }
  get bound(): BoundConnection | undefined {
    return this.#exchange.client.bound
  }
  get repeatable(): boolean {
    return !this.#exchange.body && !this.#exchange.upgrade && repeatable.has(this.#exchange.method)
  }
  found(connection: Wire | ClientHttp2Session, backend: Backend): void {
    this.#backend = backend
    if (connection instanceof Wire) {
      if (this.connectionAuth) this.#bind(connection, backend)
      this.#send(connection)
    } else this.#call(connection, backend)
  }
  unreachable({ status, message }: Unreachable, backend: Backend | undefined): void {
    this.#backend = backend
    this.#refuse(status, `its backend ${backend?.address.text ?? ''} cannot be reached: ${message}`)
  }

  // Browsers and curl fall back to HTTP/1.1 for such a login, since the requests of an HTTP/2 connection have no order to log in by.
  #bind(wire: Wire, backend: Backend): void {
    const { client, version, upgrade } = this.#exchange
    bindToClient(client, version !== '2' && !upgrade, wire, backend)
  }
  #send(wire: Wire): void {
    const { method, body, upgrade } = this.#exchange
    const { head, chunked } = requestHead(this.#exchange)
    this.#upstream = wire
    this.#at.moved = timeAwake()
    wire.send(this, head, { method, upgrade, complete: !body, chunked })
    if (body) this.#pump(wire)
    if (this.#held) wire.pause()
  }
  #call(session: ClientHttp2Session, backend: Backend): void {
    const { body } = this.#exchange
    const scheme = backend.address.scheme === 'https' ? 'https' : 'http'
    this.#at.moved = timeAwake()
    try {
      const call = new Http2Call(session, this, requestFieldsH2(this.#exchange, scheme), !body)
      this.#upstream = call
      if (this.connectionAuth) call.closesSession(session)
      if (body) this.#pump(call)
      if (this.#held) call.pause()
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #pump(upstream: Upstream): void {
    const { body } = this.#exchange
    const { bodyBytes } = this.#deck.limits
    body?.on('data', (chunk: Buffer) => {
      this.#at.count('request', chunk.length)
      if (this.#over) this.#deck.countedLate(this.#awake)
      if (this.#at.answer === 'done' || this.#over) return
      if (bodyBytes > 0 && this.#at.received > bodyBytes) this.#refuse(413, 'the body is longer than is taken here')
      else if (!upstream.write(chunk)) {
        body.pause()
        this.#measure()
      }
    })
    body?.on('end', () => {
      this.#at.bodyLeft = false
      if (this.#at.answer !== 'done' && !this.#over) upstream.end(trailerFields(this.#exchange.trailers()))
    })
  }

  // What the backend answers.
  info(status: number, fields: Fields): void {
    // RFC 9113 section 8.6: HTTP/2 has no 101, and HTTP/1.1 none that was not asked for.
    if (status < 100 || status > 199 || status === 101) throw new BadResponse(`it sent the interim status ${status}`)
    this.#interims++
    for (const text of fields) this.#interimBytes += text.length
    if (this.#interims > mostInterims || this.#interimBytes > mostInterimBytes)
      throw new BadResponse('it sends interim answers without end')
    this.#exchange.inform(status, responseFields(fields, status))
  }
  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    // RFC 9110 section 15: there are none, and not every version of HTTP lets them through.
    if (status < 200 || status > 599) throw new BadResponse(`it answered with the status ${status}`)
    const wire = this.#upstream
    if (wire instanceof Wire && this.#backend && usesConnectionAuth(fields)) this.#bind(wire, this.#backend)
    const trailers = framing === 'chunked'
    this.#exchange.respond(status, reason, responseFields(fields, status), { bodyless: framing === 0, trailers })
    this.#at.answer = 'begun'
    this.#at.status = status
    this.#backend?.answered()
    this.#unflushed = true
    this.#at.moved = timeAwake()
  }
  data(chunk: Buffer, last: boolean): void {
    this.#unflushed = false
    this.#at.count('response', chunk.length)
    if (last) {
      this.#at.answer = 'done'
      this.#exchange.end(chunk, none)
    } else if (!this.#exchange.write(chunk)) {
      this.#upstream?.pause()
      this.#measure()
    }
  }
  done(trailers: Fields): void {
    this.#unflushed = false
    this.#upstream = undefined
    if (this.#at.answer !== 'done') {
      this.#at.answer = 'done'
      this.#exchange.end(undefined, trailerFields(trailers))
    }
  }
  settled(): void {
    if (!this.#unflushed) return
    this.#unflushed = false
    this.#exchange.flush()
  }
  upgraded(fields: Fields, rest: Buffer, socket?: Socket): void {
    if (!socket) return
    this.#at.answer = 'done'
    this.#at.status = 101
    this.#backend?.answered()
    const client = this.#exchange.take(switchingFields(fields))
    this.#deck.tunnelled(client.socket)
    this.#at.tunnel = true
    this.#socket = socket
    this.#tunnel = splice(
      { socket: client.socket, head: client.head, count: (bytes) => this.#at.count('request', bytes) },
      { socket, head: rest, count: (bytes) => this.#at.count('response', bytes) },
      () => this.gone(),
    )
  }
  pending(): number {
    return Math.min(this.#exchange.unsent(), this.#at.given)
  }
  failed(error: Error): void {
    const wire = this.#upstream
    this.#upstream = undefined
    if (this.#over) return
    if (wire instanceof Wire && wire.idleSince > 0 && this.repeatable && this.#at.answer === 'none') {
      this.#search.go(true)
      return
    }
    if (this.#at.answer === 'none') this.#backend?.broke()
    this.#refuse(502, `its backend ${this.#backend?.address.text} failed: ${error.message}`)
  }
  drained(): void {
    this.#exchange.body?.resume()
  }

  // What happens at the client's end.
  clientFull(): void {
    this.#held = true
    this.#upstream?.pause()
  }
  clientDrained(): void {
    this.#held = false
    this.#upstream?.resume()
  }
  gone(): void {
    if (this.#over) return
    this.#over = true
    // Streams of HTTP/2 that are reset count there.
    if (this.#at.answer === 'none' && this.#exchange.version !== '2') this.usage?.fail()
    this.#at.uncount(this.pending())
    this.#upstream?.abort()
    this.#upstream = undefined
    this.#gauge?.set(0)
    this.#deck.ended(this.#awake, this)
    this.#deck.access?.(this.#at.told(this.#awake, this.#exchange, this.#backend?.address.text))
  }
  cut(): void {
    this.#tunnel?.cut()
    this.#exchange.cut()
    this.gone()
  }
  #measure(): void {
    const held = this.#exchange.held() + (this.#upstream?.held ?? 0) + (this.#socket ? heldBy(this.#socket) : 0)
    if (held === 0 && !this.#gauge) return
    this.#gauge ??= new BufferGauge(this.#exchange.client.buffers)
    this.#gauge.set(held)
  }
  tick(now: number): void {
    if (this.#tunnel) this.#at.halfClosed = this.#tunnel.halfClosed
    this.#measure()
    switch (overdue(this.#deck.limits, this.#at, now)) {
      case 'client':
        this.#refuse(408, 'its body took too long')
        break
      case 'backend':
        this.#refuse(504, `its backend ${this.#backend?.address.text} did not answer in time`)
        break
      case 'idle':
        if (this.#at.answer === 'done') this.cut()
        else this.#refuse(408, 'nothing moved for too long')
        break
      case undefined:
    }
  }

  #refuse(status: number, reason: string): void {
    this.#upstream?.abort()
    this.#upstream = undefined
    if (status >= 500) this.#deck.complain(this.#awake, `${status} for ${this.#awake.id}: ${reason}`, status)
    if (this.#at.answer !== 'none') {
      this.#exchange.cut()
      return
    }
    this.#at.answer = 'done'
    this.#at.status = status
    this.#at.count('response', answerWith(this.#exchange, status))
  }
}
