import { InTurn } from '../../../../lib/in-turn.ts'
import type { RelayRoute, RelaySettings } from './protocol.ts'
import { Target } from './target.ts'

/** Bytes of one workload through this relay. */
export interface Meter {
  request: number
  response: number
}

/** An open connection of a workload. */
export interface Open {
  /** Bytes counted as given to the client that wait to be sent. */
  pending(): number
  cut(): void
}

/** One workload: where its connections go, those that are open, and its counter. */
export class Workload {
  readonly id: string
  readonly meter: Meter
  readonly flows = new Set<Open>()
  route: RelayRoute | undefined
  targets = new InTurn<Target>([])
  readonly #idle: (workload: Workload) => void

  /** `idle` is told whenever the last open connection is gone. */
  constructor(id: string, meter: Meter, idle: (workload: Workload) => void) {
    this.id = id
    this.meter = meter
    this.#idle = idle
  }
  ended(flow: Open): void {
    this.flows.delete(flow)
    if (this.flows.size === 0) this.#idle(this)
  }
  /** Bytes counted as given to clients that wait to be sent. */
  pending(): number {
    let sum = 0
    for (const flow of this.flows) sum += flow.pending()
    return sum
  }
}

/** Which workload has which host. */
export class Table {
  settings: RelaySettings = { hello: 5_000, connect: 5_000, retry: 1_000 }
  readonly #ids = new Map<string, Workload>()
  readonly #hosts = new Map<string, Workload>()
  readonly #meterOf: (id: string) => Meter
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(meterOf: (id: string) => Meter) {
    this.#meterOf = meterOf
  }
  byHost(host: string): Workload | undefined {
    return this.#hosts.get(host)
  }
  get(id: string): Workload | undefined {
    return this.#ids.get(id)
  }
  routes(): readonly RelayRoute[] {
    return [...this.#ids.values()].flatMap(({ route }) => route ?? [])
  }
  all(): Iterable<Workload> {
    return this.#ids.values()
  }

  /** Open connections stay with the backend that they have. */
  put(route: RelayRoute): void {
    const workload = this.#ids.get(route.id) ?? new Workload(route.id, this.#meterOf(route.id), this.#idle)
    this.drop(route.id)
    this.#ids.set(route.id, workload)
    this.#hosts.set(route.host, workload)
    const known = new Map(workload.targets.all.map((target) => [target.text, target]))
    const targets = route.backends.map((address) => new Target(address, this.settings))
    workload.targets = new InTurn(targets.map((target) => known.get(target.text) ?? target))
    workload.route = route
  }
  /** Resolves once nothing of it is open; what still is after `time` ms is cut. */
  async drain(id: string, time: number): Promise<void> {
    const workload = this.#ids.get(id)
    if (!workload || workload.flows.size === 0) return
    const old = [...workload.flows]
    const cut = setTimeout(() => {
      for (const flow of old) flow.cut()
    }, time)
    await new Promise<void>((done) => this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), done]))
    clearTimeout(cut)
  }
  /** Takes no new connection from then on. */
  drop(id: string): void {
    const workload = this.#ids.get(id)
    if (!workload?.route) return
    if (this.#hosts.get(workload.route.host) === workload) this.#hosts.delete(workload.route.host)
    workload.route = undefined
    if (workload.flows.size === 0) this.#idle(workload)
  }

  readonly #idle = (workload: Workload): void => {
    if (workload.route === undefined) this.#ids.delete(workload.id)
    const told = this.#waiting.get(workload.id) ?? []
    this.#waiting.delete(workload.id)
    for (const tell of told) tell()
  }
}
