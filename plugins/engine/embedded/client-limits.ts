import { parseIp } from '../../../lib/ip.ts'
import { type Place, Row } from '../../../lib/row.ts'
import type { LimitedLog } from './limited-log.ts'

/** Of one client address each; 0: no limit. Rates are per second, and ten seconds' worth can be saved up. */
export interface ClientLimit {
  readonly connections: number
  readonly requests: number
  readonly handshakes: number
  readonly failures: number
}
type Refused = 'connections' | 'handshakes' | 'failures' | 'requests'

/** Seconds after which an address that does nothing has all its rates back, and need not be remembered. */
const savedSeconds = 10
/** Addresses without a connection that are remembered at most. */
const maxRemembered = 16_384
/** However little is free, an address may have this much. */
const leastShare = 32

/** Whether one address that holds `held` may take one more of `most` in all, of which `taken` are in use: at most as many as stay free for others. */
export const isFair = (held: number, taken: number, most: number): boolean =>
  most === 0 || held < Math.max(leastShare, most - taken)

/** What one client address does now: an IPv4 address, or a /64 of IPv6. */
export class ClientUsage {
  readonly place: Place<ClientUsage> = {}
  readonly key: string
  connections = 0
  requests = 0
  idleSince = 0
  readonly #limits: ClientLimits
  readonly #handshakes: Allowance
  readonly #failures: Allowance

  constructor(limits: ClientLimits, key: string) {
    this.#limits = limits
    this.key = key
    this.#handshakes = new Allowance(limits.most.handshakes)
    this.#failures = new Allowance(limits.most.failures)
  }
  /** Why it may not connect now, if so. */
  mayConnect(taken: number, most: number, handshake: boolean): Refused | undefined {
    const { connections } = this.#limits.most
    if ((connections > 0 && this.connections >= connections) || !isFair(this.connections, taken, most)) return 'connections'
    if (!this.#failures.left()) return 'failures'
    return handshake && !this.#handshakes.take() ? 'handshakes' : undefined
  }
  /** Takes a place for a request; false where it has as many under way as it may. */
  enter(): boolean {
    const { requests } = this.#limits.most
    if (requests > 0 && this.requests >= requests) {
      this.#limits.refuse('requests', this)
      return false
    }
    this.requests++
    return true
  }
  leave(): void {
    this.requests--
  }
  /** A request, stream or handshake of it came to nothing by its own doing. False: there are too many of them. */
  fail(): boolean {
    if (this.#failures.take()) return true
    this.#limits.refuse('failures', this)
    return false
  }
}

/** Limits by client address. Looking one up costs the same however many there are, and an address without connections is soon forgotten. */
export class ClientLimits {
  readonly most: ClientLimit
  /** How often each limit was met. */
  readonly counts: Record<Refused, number> = { connections: 0, handshakes: 0, failures: 0, requests: 0 }
  readonly #all = new Map<string, ClientUsage>()
  /** Those without a connection, the one that left first at the beginning. */
  readonly #idle = new Row<ClientUsage>()
  #idleCount = 0
  readonly #log: LimitedLog

  constructor(most: ClientLimit, log: LimitedLog) {
    this.most = most
    this.#log = log
  }
  get size(): number {
    return this.#all.size
  }

  /** Takes a place for a connection, beside `taken` of `most` in all; undefined: it is refused. Call `leave` once it is closed. */
  connect(address: string, taken: number, most: number, handshake: boolean): ClientUsage | undefined {
    this.#forget()
    const key = keyOf(address)
    const usage = this.#all.get(key) ?? new ClientUsage(this, key)
    const refused = usage.mayConnect(taken, most, handshake)
    if (refused) {
      this.refuse(refused, usage)
      return undefined
    }
    if (usage.connections === 0 && this.#all.has(key)) {
      this.#idle.delete(usage)
      this.#idleCount--
    }
    usage.connections++
    this.#all.set(key, usage)
    return usage
  }
  leave(usage: ClientUsage): void {
    usage.connections--
    if (usage.connections > 0) return
    usage.idleSince = performance.now()
    this.#idle.add(usage)
    this.#idleCount++
  }
  refuse(limit: Refused, { key, connections, requests }: ClientUsage): void {
    this.counts[limit]++
    this.#log(`limited ${key}: ${texts[limit]}`, { client: key, connections, requests }, key)
  }

  #forget(): void {
    const before = performance.now() - savedSeconds * 1_000
    // Two for every one that comes: so they never get more, and no call costs more than another.
    for (let count = 0; count < 2; count++) {
      const first = this.#idle.first
      if (!first || (first.idleSince > before && this.#idleCount <= maxRemembered)) return
      this.#idle.delete(first)
      this.#idleCount--
      this.#all.delete(first.key)
    }
  }
}

const texts: Readonly<Record<Refused, string>> = {
  connections: 'it has as many connections as limits.clientConnections or its fair share allows',
  handshakes: 'it begins more TLS handshakes a second than limits.clientHandshakes allows',
  failures: 'more of its requests and streams come to nothing than limits.clientFailures allows',
  requests: 'it has as many requests under way as limits.clientRequests allows',
}

/** IPv6 hosts choose among the addresses of their /64 as they like (RFC 4862). */
const keyOf = (address: string): string => {
  if (!address.includes(':')) return address
  const ip = parseIp(address.split('%', 1)[0] ?? '')
  return ip
    ? ip.version === 4
      ? ip.text
      : `${Buffer.from(ip.bytes.slice(0, 8))
          .toString('hex')
          .replace(/(....)(?!$)/g, '$1:')}::/64`
    : address
}

/** A token bucket. */
class Allowance {
  readonly #rate: number
  #left: number
  #since = performance.now()

  /** A second; 0: no limit. */
  constructor(rate: number) {
    this.#rate = rate
    this.#left = rate * savedSeconds
  }
  left(): boolean {
    if (this.#rate === 0) return true
    const now = performance.now()
    this.#left = Math.min(this.#rate * savedSeconds, this.#left + ((now - this.#since) / 1_000) * this.#rate)
    this.#since = now
    return this.#left >= 1
  }
  take(): boolean {
    if (!this.left()) return false
    this.#left--
    return true
  }
}
