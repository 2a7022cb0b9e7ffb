import type { ClientHttp2Session } from 'node:http2'
import { type Backend, type Backends, Unreachable } from './backends.ts'
import type { BoundConnection } from './connection-auth.ts'
import type { Awake } from './table.ts'
import { Wire } from './wire.ts'

/** Who needs a connection to a backend. */
export interface Seeker {
  /** Whether it still does. */
  readonly seeking: boolean
  /** HTTP/2 is spoken to the backend. */
  readonly overHttp2: boolean
  /** It takes part in a login that holds for its connection. */
  readonly connectionAuth: boolean
  /** Of its client, where there is one for such a login. */
  readonly bound: BoundConnection | undefined
  /** It can be sent again should a kept connection turn out to be closed. */
  readonly repeatable: boolean
  found(connection: Wire | ClientHttp2Session, backend: Backend): void
  /** `backend`: the last one that was tried. */
  unreachable(error: Unreachable, backend: Backend | undefined): void
}

/** Finds a connection for one request: one that is kept open, or a new one, and to the next backend where one cannot be reached. */
export class Search {
  readonly #awake: Awake
  readonly #seeker: Seeker
  /** Those of the moment when the request came, whatever the route becomes. */
  #backends: Backends
  #tried: Set<Backend> | undefined

  constructor(awake: Awake, seeker: Seeker) {
    this.#awake = awake
    this.#seeker = seeker
    this.#backends = awake.backends
  }

  /** `anew`: on a new connection, since a kept one has just failed. */
  go(anew = false): void {
    const seeker = this.#seeker
    const own = anew || seeker.overHttp2 ? undefined : seeker.bound?.take(this.#backends.all)
    if (own) {
      seeker.found(own.wire, own.backend)
      return
    }
    const backend = this.#backends.pick(this.#tried)
    if (!backend) seeker.unreachable(new Unreachable('there is none', 502), undefined)
    else if (seeker.overHttp2) {
      const reached = (result: ClientHttp2Session | Unreachable) => this.#reached(backend, result)
      if (seeker.connectionAuth) backend.callAlone(reached)
      else backend.call(reached)
    } else {
      const wire = anew ? undefined : backend.take(seeker.repeatable)
      if (wire) seeker.found(wire, backend)
      else backend.dial((result) => this.#reached(backend, result))
    }
  }

  #reached(backend: Backend, result: Wire | ClientHttp2Session | Unreachable): void {
    if (!this.#seeker.seeking) {
      if (result instanceof Wire) backend.release(result)
      else if (!(result instanceof Unreachable) && this.#seeker.connectionAuth) result.close()
    } else if (result instanceof Unreachable) this.#next(backend, result)
    else this.#seeker.found(result, backend)
  }

  // Nothing of the request has gone out yet, so any other backend may have it: of this route, or of what it is by now.
  #next(backend: Backend, error: Unreachable): void {
    this.#tried ??= new Set()
    this.#tried.add(backend)
    const now = this.#awake.backends
    if (this.#tried.size >= this.#backends.all.length) {
      if (now === this.#backends) {
        this.#seeker.unreachable(error, backend)
        return
      }
      this.#backends = now
      this.#tried = undefined
    }
    this.go()
  }
}
