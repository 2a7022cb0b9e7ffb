import type { ClientHttp2Session } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Backend as Address } from '../../../lib/backend.ts'
import { isShortage } from '../../../lib/file-descriptors.ts'
import { Fitness, InTurn, type Retry } from '../../../lib/in-turn.ts'
import { patience } from '../../../lib/patience.ts'
import type { Row } from '../../../lib/row.ts'
import type { Descriptors } from './descriptors.ts'
import { SharedSession } from './http2-upstream.ts'
import { promptPause } from './prompt-pause.ts'
import { type Home, Wire } from './wire.ts'

/** How backends are dialled. Times in ms. */
export interface Dialling {
  readonly connectTime: number
  /** Idle connections kept to one backend, and for how long. */
  readonly idle: number
  readonly idleTime: number
  /** Those of all backends. */
  readonly idleWires: Row<Wire>
  /** PEM; given, the certificate of an `https://` backend must be signed by it and name its IP address. */
  readonly ca: string | undefined
  readonly retry: Retry
  readonly descriptors: Descriptors
}

/** Why a backend could not be reached: the status of the answer. 504: it did not accept in time. 503: this machine lacked what a connection takes. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly status: 502 | 503 | 504
  constructor(message: string, status: 502 | 503 | 504) {
    super(message)
    this.status = status
  }
}

// A connection idle for longer may be closing at the other end just now: a request that cannot be sent twice does not go out on it.
const fresh = 1_000
// One request may be the fault of the request; so many in a row are not.
const tooOften = 3

/** One address that requests go to, with its open connections and what is known of its health. */
export class Backend implements Home {
  readonly address: Address
  #dialling: Dialling
  #idle: Wire[] = []
  /** Idle ones that serve one client each. */
  readonly #bound = new Set<Wire>()
  #closed = false
  #session: SharedSession<Unreachable> | undefined
  readonly #fitness: Fitness
  #broken = 0
  /** What the active check found; undefined: there is none, or not yet. */
  checked: boolean | undefined

  constructor(address: Address, dialling: Dialling) {
    this.address = address
    this.#dialling = dialling
    this.#fitness = new Fitness(dialling.retry)
  }

  /** Whether it should be given a request; a dead one is given one again after a while, and that one decides. */
  admits(): boolean {
    return this.checked !== false && this.#fitness.admits()
  }
  /** It did what was asked of it. */
  answered(): void {
    this.#fitness.answered()
    this.#broken = 0
  }
  /** It could not be reached. Is told of the same trouble by many at once, and counts it once. */
  failed(): void {
    this.#fitness.failed()
  }
  /** It took a request and broke it off without an answer. */
  broke(): void {
    this.#broken++
    if (this.#broken >= tooOften) this.failed()
  }

  /** An open connection, the one used last first. `repeatable`: the request can be sent again should it turn out to be closed. */
  take(repeatable: boolean): Wire | undefined {
    const wire = this.#idle.at(-1)
    if (!wire) return undefined
    if (!repeatable && performance.now() - wire.idleSince > fresh) return undefined
    this.#idle.pop()
    this.#dialling.idleWires.delete(wire)
    return wire
  }
  dial(done: (result: Wire | Unreachable) => void): void {
    this.connect((result) => done(result instanceof Unreachable ? result : new Wire(result, this)))
  }
  /** A new HTTP/2 connection, for one call. */
  callAlone(done: (result: ClientHttp2Session | Unreachable) => void): void {
    new SharedSession<Unreachable>((opened) => this.connect(opened, 'h2'), this.#dialling.idleTime).get(done)
  }
  /** The HTTP/2 connection that all calls share. */
  call(done: (result: ClientHttp2Session | Unreachable) => void): void {
    this.#session ??= new SharedSession((opened) => this.connect(opened, 'h2'), this.#dialling.idleTime)
    this.#session.get(done)
  }
  /** A new connection, with TLS where the address says so, but for `tcp`. */
  connect(done: (result: Socket | Unreachable) => void, speak: 'http/1.1' | 'h2' | 'tcp' = 'http/1.1'): void {
    const { ip, port, scheme } = this.address
    const where = { host: ip.text, port, noDelay: true, allowHalfOpen: speak !== 'h2' }
    const secure = scheme === 'https' && speak !== 'tcp'
    const { ca, descriptors } = this.#dialling
    const verify = { rejectUnauthorized: ca !== undefined, ...(ca !== undefined && { ca }) }
    // HTTP/2 has windows, and takes the bytes off the socket by itself.
    const pausing = speak === 'h2' ? {} : promptPause(() => socket)
    const socket: Socket = secure
      ? connectTls({ ...where, ...verify, ALPNProtocols: [speak] })
      : connectTcp({ ...where, ...pausing })
    const finish = (result: Socket | Unreachable) => {
      come()
      socket.off('error', refused)
      if (result instanceof Unreachable) {
        socket.on('error', () => {}).destroy()
        if (result.status !== 503) this.failed()
      } else if (speak === 'tcp') this.answered()
      done(result)
    }
    const refused = (error: Error) => {
      const short = isShortage(error)
      if (short) descriptors.ranOut()
      finish(new Unreachable(error.message || error.name, short ? 503 : 502))
    }
    const come = patience(this.#dialling.connectTime, () =>
      finish(new Unreachable('it did not accept the connection in time', 504)),
    )
    socket.once('error', refused)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      const admitted = descriptors.admitsBackend(socket)
      finish(admitted ? socket : new Unreachable('too few file descriptors are left', 503))
    })
  }

  /** An idle connection that serves one client; false: it is not to be kept. */
  keepBound(wire: Wire): boolean {
    if (this.#closed) return false
    wire.idleSince = performance.now()
    this.#bound.add(wire)
    this.#dialling.idleWires.add(wire)
    return true
  }
  takeBound(wire: Wire): void {
    this.#bound.delete(wire)
    this.#dialling.idleWires.delete(wire)
  }
  release(wire: Wire): void {
    if (this.#closed || this.#idle.length >= this.#dialling.idle) {
      wire.socket.destroy()
      return
    }
    wire.idleSince = performance.now()
    this.#idle.push(wire)
    this.#dialling.idleWires.add(wire)
  }
  forget(wire: Wire): void {
    this.takeBound(wire)
    const at = this.#idle.indexOf(wire)
    if (at >= 0) this.#idle.splice(at, 1)
  }
  /** Idle connections close now, those in use when their answer is complete. */
  close(): void {
    this.#closed = true
    for (const wire of this.#idle.splice(0)) {
      this.#dialling.idleWires.delete(wire)
      wire.socket.destroy()
    }
    for (const wire of [...this.#bound]) wire.drop()
    this.#session?.close()
  }
}

/** The backends of one route. */
export class Backends extends InTurn<Backend> {}
