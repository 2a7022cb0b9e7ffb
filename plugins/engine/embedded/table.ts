import type { Bytes, Event, Route, WorkloadId } from '../../../core/index.ts'
import { patience } from '../../../lib/patience.ts'
import { type Place, Row } from '../../../lib/row.ts'
import type { Backends } from './backends.ts'
import type { ClientUsage } from './client-limits.ts'

/** Something of a workload that runs: a request, an upgraded connection, a passed-through one. */
export interface Flow {
  /** Of the client's address; undefined where that has no limits. */
  readonly usage?: ClientUsage | undefined
  cut(): void
  /** Bytes counted as answered that wait to be sent. */
  pending(): number
  /** Called about once a second with `timeAwake`, behind what had come by then. */
  tick(awake: number): void
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
  /** When it came to rest last, monotonic ms. */
  used: number
  /** The number of readings when it was last noted that something was counted. */
  noted: number
  /** Among the busy or the resting. */
  readonly place: Place<Awake>
  /** The gateway's log, within bounds for this workload. */
  log?: (message: string, fields?: object) => void
  /** Told once when nothing is open any more. */
  drained?: () => void
}

export interface Entry {
  route: Route
  awake: Awake | undefined
}

/** Notes of what was counted that are kept at least: more than workloads have traffic between two readings. */
const mostNotes = 50_000

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
  /** Awake and with something open. */
  readonly #busy = new Row<Awake>()
  /** Awake with nothing open, the one that was used last at the end. */
  readonly #resting = new Row<Awake>()
  /** How many drain of a workload that was removed; more than one where it was set and removed again meanwhile. */
  readonly #draining = new Map<WorkloadId, number>()
  /** The removed ones that somebody has to be told of once nothing of them drains. */
  readonly #leaving = new Map<WorkloadId, Route>()
  /** Readings of the counters so far. */
  #readings = 0
  /** For whom something was counted that is not open any more, with the number of readings until then; `#forgotten`: the last number that is missing here. */
  #notes: { readonly id: WorkloadId; readonly at: number }[] = []
  #forgotten = -1

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
  *awake(): Generator<Awake> {
    yield* this.#busy
    yield* this.#resting
  }
  busy(): Iterable<Awake> {
    return this.#busy
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
    else if (awake) this.#resting.delete(awake)
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
    const awake: Awake = {
      id: route.id,
      tenant: route.tenant,
      route,
      backends,
      meter,
      open: new Set(),
      used: performance.now(),
      noted: -1,
      place: {},
    }
    this.#resting.add(awake)
    entry.awake = awake
    return awake
  }
  began(awake: Awake, flow: Flow): void {
    if (awake.open.size === 0) this.#busy.add(awake)
    awake.open.add(flow)
  }
  ended(awake: Awake, flow: Flow): void {
    awake.open.delete(flow)
    this.note(awake)
    if (awake.open.size > 0) return
    if (awake.drained) {
      this.#busy.delete(awake)
      awake.drained()
      delete awake.drained
      return
    }
    awake.used = performance.now()
    this.#resting.add(awake)
  }
  /** Drops what a workload needs no more that nothing was open of since then, for the one that rests longest; false: there is none. */
  sleepOne(since: number): boolean {
    const awake = this.#resting.first
    if (!awake || awake.used > since) return false
    this.#resting.delete(awake)
    for (const backend of awake.backends.all) backend.close()
    const entry = this.#ids.get(awake.id)
    if (entry?.awake === awake) entry.awake = undefined
    return true
  }

  /** The counters; `since` an earlier reading only those that may have changed, which costs nothing for all others. */
  read(since = -1): { readonly bytes: Map<WorkloadId, Bytes>; readonly mark: number } {
    const bytes = new Map<WorkloadId, Bytes>()
    const take = (id: WorkloadId) => {
      const meter = this.#meters.get(id)
      if (meter) bytes.set(id, { request: meter.request, response: meter.response })
    }
    if (since <= this.#forgotten) for (const id of this.#meters.keys()) take(id)
    else {
      for (let i = this.#notes.length - 1; i >= 0; i--) {
        const one = this.#notes[i]
        if (!one || one.at < since) break
        take(one.id)
      }
    }
    for (const { id, open } of this.#busy) {
      if (!bytes.has(id)) take(id)
      const counted = bytes.get(id)
      if (!counted) continue
      let pending = 0
      for (const flow of open) pending += flow.pending()
      bytes.set(id, { request: counted.request, response: counted.response - pending })
    }
    return { bytes, mark: ++this.#readings }
  }

  /** Something of it was counted that the next reading has to have. */
  note(awake: Awake): void {
    if (awake.noted === this.#readings) return
    awake.noted = this.#readings
    this.#notes.push({ id: awake.id, at: this.#readings })
    if (this.#notes.length > 2 * mostNotes) this.#forgotten = this.#notes.splice(0, mostNotes).at(-1)?.at ?? this.#readings
  }
  #drain(awake: Awake): void {
    const { id, open } = awake
    this.#draining.set(id, (this.#draining.get(id) ?? 0) + 1)
    const over = patience(this.#given.drain, () => {
      for (const flow of [...open]) flow.cut()
    })
    awake.drained = () => {
      over()
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
