import type { Socket } from 'node:net'
import { clientAddress } from '../../../../lib/client-address.ts'
import { descriptorLimit } from '../../../../lib/file-descriptors.ts'
import { type Ip, inRange, parseIp, parseRange } from '../../../../lib/ip.ts'

/** Connections that have not yet shown what they are: the most, and ms between two looks at their age. */
const [mostWaiting, lookEvery] = [1_024, 1_000]

/** Connections before they are a flow of a workload. Whoever shows nothing in time is ended, and with all places taken the oldest is. */
export class WaitingPlaces {
  readonly #since = new Map<Socket, number>()
  readonly #time: () => number
  #looking: NodeJS.Timeout | undefined

  /** `time`: ms that a connection may wait. */
  constructor(time: () => number) {
    this.#time = time
  }
  enter(socket: Socket): void {
    const [oldest] = this.#since.keys()
    if (this.#since.size >= mostWaiting && oldest) this.#end(oldest)
    this.#since.set(socket, performance.now())
    socket.once('close', () => this.leave(socket))
    this.#looking ??= setInterval(this.#look, lookEvery).unref()
  }
  /** It is a flow now. */
  leave(socket: Socket): void {
    this.#since.delete(socket)
  }
  readonly #look = (): void => {
    const late = performance.now() - this.#time()
    for (const [socket, since] of this.#since) {
      if (since > late) return
      this.#end(socket)
    }
    if (this.#since.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }
  #end(socket: Socket): void {
    this.leave(socket)
    // Otherwise the kernel keeps a connection whose other end does not close for a minute more.
    socket.resetAndDestroy()
  }
}

/** Flows at once: of one client's address (IPv6: one /64), and descriptors that are kept for everything else. */
const [mostOfOne, reserve] = [2_000, 256]

/** Counts flows by the client that Traefik names. Each takes two descriptors, so that all together stay below the process's limit. */
export class FlowPlaces {
  readonly #flows = new Map<string, number>()
  readonly #most: number
  readonly #each: number
  #all = 0

  constructor(descriptors = descriptorLimit()) {
    this.#most = Math.max(16, Math.floor((descriptors - reserve) / 2))
    this.#each = Math.min(mostOfOne, Math.ceil(this.#most / 4))
  }
  /** Takes a place until the socket closes; false where there is none. Addresses of `exempt` networks stand for many clients. */
  enter(address: string, socket: Socket, exempt: readonly string[] = []): boolean {
    const ip = parseIp(address)
    const key = ip && isExempt(ip, exempt) ? '' : clientAddress(address)
    const own = this.#flows.get(key) ?? 0
    if (this.#all >= this.#most || (key !== '' && own >= this.#each)) return false
    this.#all++
    this.#flows.set(key, own + 1)
    socket.once('close', () => {
      this.#all--
      const left = (this.#flows.get(key) ?? 1) - 1
      if (left > 0) this.#flows.set(key, left)
      else this.#flows.delete(key)
    })
    return true
  }
}

const isExempt = (ip: Ip, networks: readonly string[]): boolean =>
  networks.some((text) => {
    const range = parseRange(text)
    return range !== undefined && inRange(ip, range)
  })
