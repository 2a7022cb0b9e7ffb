import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalHost } from '../../../../lib/host.ts'
import { inTurn } from '../../../../lib/one-by-one.ts'
import { peekFirstByte, peekServerName, takeProxyHeader } from '../../../../lib/tls-front.ts'
import type { Journal, Written } from '../endpoint/journal.ts'
import { Looks } from '../metrics/look.ts'
import { Flow } from './flow.ts'
import type { Meters } from './meters.ts'
import { FlowPlaces, WaitingPlaces } from './places.ts'
import type { Answers, Ask, RelayRoute } from './protocol.ts'
import type { Table } from './table.ts'
import { openUpgrades } from './upgrades.ts'

const settingsKey = '.settings'
/** Of a PROXY header of version 2, and of no request. */
const proxyStart = 13
/** ms that an answer waits for Traefik's figures. */
const patience = 2_500

/** What the relay does with connections and with what the gateway asks. */
export class Relay {
  readonly #table: Table
  readonly #meters: Meters
  readonly #journal: Journal
  readonly #looks: Looks
  readonly #waiting: WaitingPlaces
  readonly #flows = new FlowPlaces()
  readonly #takeUpgrades: (socket: Socket) => void
  #trouble = ''
  /** Changes of the table and of the counters it rules, in the order in which they came. */
  readonly #inTurn = inTurn()

  constructor(table: Table, meters: Meters, journal: Journal) {
    this.#table = table
    this.#meters = meters
    this.#journal = journal
    this.#looks = new Looks(meters.fold, () => meters.began)
    this.#waiting = new WaitingPlaces(() => table.settings.hello)
    this.#takeUpgrades = openUpgrades(table, { waiting: this.#waiting, flows: this.#flows })
  }

  /** A connection from the proxy in front: in HTTP, or what is passed through. */
  readonly accept = (socket: Socket): void => {
    socket.on('error', () => {})
    socket.setNoDelay(true)
    this.#waiting.enter(socket)
    peekFirstByte(socket, this.#table.settings.hello, (byte) => {
      if (byte === proxyStart) this.#passThrough(socket)
      else this.#takeUpgrades(socket)
    })
  }

  /** A PROXY header that names the client, then its ClientHello. */
  #passThrough(socket: Socket): void {
    const { settings } = this.#table
    takeProxyHeader(socket, settings.hello, (connected) =>
      peekServerName(socket, settings.hello, (serverName) => {
        const host = serverName === undefined ? undefined : canonicalHost(serverName)
        const workload = host === undefined ? undefined : this.#table.byHost(host)
        if (!workload?.route || workload.route.http) return void socket.destroy()
        if (!this.#flows.enter(connected.source.address, socket, settings.exempt)) return void socket.destroy()
        this.#waiting.leave(socket)
        new Flow(workload, socket, connected)
      }),
    )
  }

  /** Counts what there is to count, durably. */
  async keep(): Promise<void> {
    await this.#look()
    await this.#meters.write()
  }
  /** Resolves also where Traefik's metrics cannot be read: what is known stands, and is told. */
  async #look(now = false): Promise<void> {
    const { metrics } = this.#table.settings
    if (!metrics) return
    await this.#looks.look(metrics, now).then(
      () => {
        this.#trouble = ''
      },
      (error: unknown) => {
        const text = String(error)
        if (text !== this.#trouble) console.error(text)
        this.#trouble = text
      },
    )
  }

  async answer(ask: Ask): Promise<Answers[keyof Answers]> {
    switch (ask.do) {
      case 'set':
        await this.#set(ask)
        return {}
      case 'remove':
        return this.#remove(ask)
      case 'forget':
        await this.#inTurn(async () => {
          if (!this.#table.get(ask.id)) await this.#meters.forget(ask.id)
        })
        return {}
      case 'read':
        // Who asks does not wait for a Traefik that is slow to tell; what it tells is in the next answer.
        await Promise.race([this.#look(), sleep(patience, undefined, { ref: false })])
        return { epoch: this.#meters.epoch, bytes: await this.#meters.read() }
    }
  }

  /** A change that the disk does not take is refused whole; what it says is served either way only once it is durable. */
  #set(ask: Extract<Ask, { do: 'set' }>): Promise<void> {
    return this.#inTurn(() => this.#change(ask))
  }
  async #change({ whole, settings, put, drop }: Extract<Ask, { do: 'set' }>): Promise<void> {
    const table = this.#table
    const stays = new Set(put.map(({ id }) => id))
    const gone = whole ? table.routes().flatMap(({ id }) => (stays.has(id) ? [] : id)) : drop
    const written: Written[] = [
      ...(settings ? [[settingsKey, JSON.stringify(settings)] as const] : []),
      ...gone.map((id) => [id, null] as const),
      ...put
        .filter((route) => !same(table.get(route.id)?.route, route))
        .map((route) => [route.id, JSON.stringify(route)] as const),
    ]
    if (written.length > 0) await this.#journal.append(written)
    if (settings) table.settings = settings
    for (const id of gone) table.drop(id)
    for (const route of put) table.put(route)
  }

  async #remove({ id, drain, linger }: Extract<Ask, { do: 'remove' }>): Promise<Answers['remove']> {
    await this.#inTurn(async () => {
      if (this.#table.get(id)?.route) await this.#change({ do: 'set', put: [], drop: [id] })
    })
    await Promise.all([this.#table.drain(id, drain), linger && sleep(drain)])
    if (linger) await this.#look(true)
    return this.#table.get(id)?.route ? {} : { last: this.#meters.figure(id) }
  }
}

/** Reads the routes that an earlier relay wrote down. */
export const takeRoutes =
  (table: Table) =>
  ([key, json]: Written): void => {
    if (key === settingsKey && json !== null) table.settings = JSON.parse(json)
    else if (json === null) table.drop(key)
    else {
      const route: RelayRoute = JSON.parse(json)
      table.put(route)
    }
  }
/** All that a new relay has to know. */
export const writtenRoutes = (table: Table): Written[] => [
  [settingsKey, JSON.stringify(table.settings)],
  ...table.routes().map((route) => [route.id, JSON.stringify(route)] as const),
]

const same = (a: RelayRoute | undefined, b: RelayRoute): boolean => JSON.stringify(a) === JSON.stringify(b)
