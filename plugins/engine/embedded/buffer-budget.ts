import { clientAddress } from '../../../lib/client-address.ts'

/** Bytes; 0: no limit. */
export interface BufferLimits {
  readonly connection: number
  readonly address: number
  readonly total: number
}

/** A connection may have this much where the whole process holds much. */
const smallShare = 65_536

interface AddressBuffers {
  readonly key: string
  /** The first of its addresses, for people. */
  readonly name: string
  readonly limit: number
  readonly connections: Set<ConnectionBuffers>
  bytes: number
}

/** What the process holds in memory for the peers of one client's connection: bytes that were received and have not yet been sent on. */
export class ConnectionBuffers {
  readonly #budget: BufferBudget
  readonly #address: AddressBuffers
  readonly #end: () => void
  #bytes = 0
  #closed = false

  constructor(budget: BufferBudget, address: AddressBuffers, end: () => void) {
    this.#budget = budget
    this.#address = address
    this.#end = end
  }
  get bytes(): number {
    return this.#bytes
  }
  /** The connection has its share: read no more for it, and begin nothing new. */
  get full(): boolean {
    const { limits, tight } = this.#budget
    return (limits.connection > 0 && this.#bytes >= limits.connection) || (tight && this.#bytes >= smallShare)
  }
  /** So many more bytes are held; negative: fewer. May end this connection or others. */
  add(bytes: number): void {
    if (this.#closed) return
    this.#bytes += bytes
    this.#address.bytes += bytes
    this.#budget.bytes += bytes
    if (bytes > 0) this.#budget.enforce(this.#address)
  }
  /** The connection is over, and holds nothing. */
  close(): void {
    if (this.#closed) return
    this.add(-this.#bytes)
    this.#closed = true
    this.#budget.remove(this, this.#address)
  }
  /** Ends the connection. */
  end(): void {
    this.close()
    this.#end()
  }
}

/** Bytes that a stream holds, to be read or to be written. */
export const heldBy = (stream: { readonly readableLength: number; readonly writableLength: number }): number =>
  stream.readableLength + stream.writableLength

/** A part of what a connection holds that is measured from time to time. */
export class BufferGauge {
  readonly #buffers: ConnectionBuffers
  #bytes = 0

  constructor(buffers: ConnectionBuffers) {
    this.#buffers = buffers
  }
  set(bytes: number): void {
    if (bytes === this.#bytes) return
    const more = bytes - this.#bytes
    this.#bytes = bytes
    this.#buffers.add(more)
  }
}

/** What the process holds in memory for all its peers, with limits for one connection, one client address, and all. */
export class BufferBudget {
  readonly limits: BufferLimits
  bytes = 0
  readonly #ended: (address: string, reason: string) => void
  readonly #addresses = new Map<string, AddressBuffers>()

  /** `ended` is told of each connection that is ended because an address or the process holds too much. */
  constructor(limits: BufferLimits, ended: (address: string, reason: string) => void) {
    this.limits = limits
    this.#ended = ended
  }
  /** More than half of what the process may hold is taken. */
  get tight(): boolean {
    return this.limits.total > 0 && this.bytes >= this.limits.total / 2
  }

  /** Account for one connection. `exempt`: no limit for its address. `end` destroys the connection. */
  open(address: string, exempt: boolean, end: () => void): ConnectionBuffers {
    const key = exempt ? address : clientAddress(address)
    let found = this.#addresses.get(key)
    if (!found) {
      found = { key, name: address, limit: exempt ? 0 : this.limits.address, connections: new Set(), bytes: 0 }
      this.#addresses.set(key, found)
    }
    const buffers = new ConnectionBuffers(this, found, end)
    found.connections.add(buffers)
    return buffers
  }
  remove(buffers: ConnectionBuffers, address: AddressBuffers): void {
    address.connections.delete(buffers)
    if (address.connections.size === 0) this.#addresses.delete(address.key)
  }
  /** Ends connections until an address and the process are within their limits: of the address that holds most, the one that holds most. */
  enforce(address: AddressBuffers): void {
    while (address.limit > 0 && address.bytes > address.limit)
      this.#endLargest(address, `its address holds more than ${address.limit} bytes of memory`)
    const { total } = this.limits
    while (total > 0 && this.bytes > total) {
      const most = largest(this.#addresses.values())
      if (!most) return
      this.#endLargest(most, `all connections together hold more than ${total} bytes of memory`)
    }
  }

  #endLargest(address: AddressBuffers, reason: string): void {
    largest(address.connections)?.end()
    this.#ended(address.name, reason)
  }
}

const largest = <T extends { readonly bytes: number }>(all: Iterable<T>): T | undefined => {
  let most: T | undefined
  for (const one of all) if (!most || one.bytes > most.bytes) most = one
  return most
}
