import type { Bytes, Event, Route, WorkloadId } from '../../../core/index.ts'
import type { Backends } from './backends.ts'

/** Something of a workload that runs: a request, an upgraded connection, a passed-through one. */
export interface Flow {
  cut(): void
  /** Bytes counted as answered that wait to be sent. */
  pending(): number
  /** Called about once a second. */
  tick(now: number): void
}

/** What a workload that has traffic needs in memory; made at its first request, dropped when idle. */
export interface Awake {
  readonly id: WorkloadId
  /** Whom its share is counted for. */
  readonly tenant: string
  route: Route
  backends: Backends
  readonly meter: { request: number; response: number }
  readonly open: Set<Flow>
  /** Of the last moment that anything ran, monotonic ms. */
  used: number
  /** The gateway's log, within bounds for this workload. */
  log?: (message: string, fields?: object) => void
  /** Told once when nothing is open any more. */
  drained?: () => void
}

export interface Entry {
  route: Route
  awake: Awake | undefined
}

interface Given {
  readonly emit: (event: Event) => void
  /** How long connections of a removed route may go on, in ms. */
  readonly drain: number
  makeBackends(route: Route, before: Backends | undefined): Backends
}

/** Who serves what: hosts, workloads, their counters. Every change and look-up costs the same however many there are. */
export class Table {
  readonly #given: Given
  readonly #hosts = new Map<string, Entry>()
  readonly #ids = new Map<WorkloadId, Entry>()
  readonly #meters = new Map<WorkloadId, Awake['meter']>()
  readonly #awake = new Set<Awake>()
  /** How many drain of a workload that was removed; more than one where it was set and removed again meanwhile. */
  readonly #draining = new Map<WorkloadId, number>()
  /** The removed ones that somebody has to be told of once nothing of them drains. */
  readonly #leaving = new Map<WorkloadId, Route>()

  constructor(given: Given) {
    this.#given = given
  }

  get size(): number {
    return this.#ids.size
  }
  byHost(host: string): Entry | undefined {
    return this.#hosts.get(host)
  }
  ids(): Iterable<WorkloadId> {
    return this.#ids.keys()
  }
  routeOf(id: WorkloadId): Route | undefined {
    return this.#ids.get(id)?.route
  }
  awake(): Iterable<Awake> {
    return this.#awake
  }

  put(route: Route): void {
    // Set again while it drains: it never went, so nobody is told that it did. What is open is cut at the deadline all the same.
    this.#leaving.delete(route.id)
    const before = this.#ids.get(route.id)
    if (!before) {
      const entry: Entry = { route, awake: undefined }
      this.#ids.set(route.id, entry)
      this.#hosts.set(route.host, entry)
      return
    }
    if (before.route.host !== route.host) {
      if (this.#hosts.get(before.route.host) === before) this.#hosts.delete(before.route.host)
    }
    this.#hosts.set(route.host, before)
    before.route = route
    const { awake } = before
    if (!awake) return
    awake.route = route
    awake.backends = this.#given.makeBackends(route, awake.backends)
  }

  /** No new request is taken from now on; what runs may go on for the drain time. */
  remove(route: Route): void {
    const entry = this.#ids.get(route.id)
    if (entry) {
      this.#ids.delete(route.id)
      if (this.#hosts.get(entry.route.host) === entry) this.#hosts.delete(entry.route.host)
    }
    const awake = entry?.awake
    if (awake) for (const backend of awake.backends.all) backend.close()
    if (awake && awake.open.size > 0) this.#drain(awake)
    else if (awake) this.#awake.delete(awake)
    if (this.#draining.has(route.id)) this.#leaving.set(route.id, route)
    else this.#forget(route)
  }

  /** The running side of a route, made where it is not there. */
  wake(entry: Entry): Awake {
    if (entry.awake) return entry.awake
    const { route } = entry
    const meter = this.#meters.get(route.id) ?? { request: 0, response: 0 }
    this.#meters.set(route.id, meter)
    const backends = this.#given.makeBackends(route, undefined)
    const awake: Awake = { id: route.id, tenant: route.tenant, route, backends, meter, open: new Set(), used: 0 }
    this.#awake.add(awake)
    entry.awake = awake
    return awake
  }
  ended(awake: Awake, flow: Flow): void {
    awake.open.delete(flow)
    if (awake.open.size > 0) return
    awake.drained?.()
    delete awake.drained
  }
  /** Drops what an idle workload needs no more; its counter stays. */
  sleep(awake: Awake): void {
    if (awake.open.size > 0) return
    this.#awake.delete(awake)
    for (const backend of awake.backends.all) backend.close()
    const entry = this.#ids.get(awake.id)
    if (entry?.awake === awake) entry.awake = undefined
  }

  bytes(): Map<WorkloadId, Bytes> {
    const all = new Map<WorkloadId, Bytes>()
    for (const [id, { request, response }] of this.#meters) all.set(id, { request, response })
    for (const awake of this.#awake) {
      const counted = awake.open.size > 0 && all.get(awake.id)
      if (!counted) continue
      let pending = 0
      for (const flow of awake.open) pending += flow.pending()
      all.set(awake.id, { request: counted.request, response: counted.response - pending })
    }
    return all
  }

  #drain(awake: Awake): void {
    const { id, open } = awake
    this.#draining.set(id, (this.#draining.get(id) ?? 0) + 1)
    const cut = setTimeout(() => {
      for (const flow of [...open]) flow.cut()
    }, this.#given.drain)
    awake.drained = () => {
      clearTimeout(cut)
      this.#awake.delete(awake)
      const others = (this.#draining.get(id) ?? 1) - 1
      if (others > 0) this.#draining.set(id, others)
      else this.#draining.delete(id)
      const route = this.#leaving.get(id)
      if (others > 0 || !route) return
      this.#leaving.delete(id)
      this.#forget(route)
    }
  }
  #forget(route: Route): void {
    const { request, response } = this.#meters.get(route.id) ?? { request: 0, response: 0 }
    this.#meters.delete(route.id)
    setImmediate(this.#given.emit, { type: 'removed', route, bytes: { request, response } })
  }
}
