import type { Backend } from './backends.ts'
import type { Client, Fields } from './fields.ts'
import type { Home, Wire } from './wire.ts'

/** NTLM, Negotiate (RFC 4559) and Microsoft's Nego2, alone or in a list of challenges. */
const scheme = /(?:^|,)[\t ]*(?:ntlm|nego)/i

/**
 * Whether a request or response takes part in a login that holds for the connection it came on, and not for the request: HTTP calls that a
 * violation of its own rule (RFC 9110 section 11.7), and servers of Microsoft do it.
 */
export const usesConnectionAuth = (fields: Readonly<Fields>): boolean => {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    switch (name.length) {
      case 13:
        if (name.toLowerCase() === 'authorization' && scheme.test(value)) return true
        break
      case 15:
        if (name.toLowerCase() === 'persistent-auth' && value.toLowerCase() === 'true') return true
        break
      case 16:
        if (name.toLowerCase() === 'www-authenticate' && scheme.test(value)) return true
        break
    }
  }
  return false
}

/** Has a backend connection that carries such a login serve this client's connection and nobody else; without one it serves one request. */
export const bindToClient = (client: Client, ownConnection: boolean, wire: Wire, backend: Backend): void => {
  const { socket } = client
  if (!ownConnection || !socket) {
    wire.home = nobody
    return
  }
  if (!client.bound) {
    const bound = new BoundConnection()
    client.bound = bound
    socket.once('close', () => bound.close())
  }
  client.bound.bind(wire, backend)
}

const nobody: Home = {
  release: (wire) => void wire.socket.destroy(),
  forget: () => undefined,
}

/** The backend connection of one client's connection, at most one at a time. */
export class BoundConnection implements Home {
  #wire: Wire | undefined
  #backend: Backend | undefined
  #idle = false
  #closed = false

  bind(wire: Wire, backend: Backend): void {
    if (this.#wire === wire) return
    if (this.#idle) this.#wire?.drop()
    this.#wire = wire
    this.#backend = backend
    this.#idle = false
    wire.home = this
  }
  /** It, where it is idle and leads to one of these backends. */
  take(among: readonly Backend[]): { readonly wire: Wire; readonly backend: Backend } | undefined {
    const [wire, backend] = [this.#wire, this.#backend]
    if (!wire || !backend || !this.#idle) return undefined
    if (!among.includes(backend)) {
      wire.drop()
      return undefined
    }
    this.#idle = false
    backend.takeBound(wire)
    return { wire, backend }
  }
  release(wire: Wire): void {
    if (!this.#closed && wire === this.#wire && this.#backend?.keepBound(wire)) this.#idle = true
    else wire.socket.destroy()
  }
  forget(wire: Wire): void {
    if (wire !== this.#wire) return
    this.#backend?.forget(wire)
    this.#wire = undefined
    this.#idle = false
  }
  /** The client's connection is closed. */
  close(): void {
    this.#closed = true
    if (this.#idle) this.#wire?.drop()
  }
}
