import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalHost } from '../../../../lib/host.ts'
import { peekServerName, takeProxyHeader } from '../../../../lib/tls-front.ts'
import type { Journal, Written } from '../endpoint/journal.ts'
import { Flow } from './flow.ts'
import type { Meters } from './meters.ts'
import type { Answers, Ask, RelayRoute } from './protocol.ts'
import type { Table } from './table.ts'

const timingKey = '.timing'

/** What the relay does with connections and with what the gateway asks. */
export class Relay {
  readonly #table: Table
  readonly #meters: Meters
  readonly #journal: Journal

  constructor(table: Table, meters: Meters, journal: Journal) {
    this.#table = table
    this.#meters = meters
    this.#journal = journal
  }

  /** A connection from the proxy in front: a PROXY header that names the client, then its ClientHello. */
  readonly accept = (socket: Socket): void => {
    const { timing } = this.#table
    socket.on('error', () => {})
    socket.setNoDelay(true)
    takeProxyHeader(socket, timing.hello, (connected) =>
      peekServerName(socket, timing.hello, (serverName) => {
        const host = serverName === undefined ? undefined : canonicalHost(serverName)
        const workload = host === undefined ? undefined : this.#table.byHost(host)
        if (workload) new Flow(workload, socket, connected)
        else socket.destroy()
      }),
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
        if (!this.#table.get(ask.id)) await this.#meters.forget(ask.id)
        return {}
      case 'read':
        return { epoch: this.#meters.epoch, bytes: await this.#meters.read() }
    }
  }

  /** A change that the disk does not take is refused whole; what it says is served either way only once it is durable. */
  async #set({ whole, timing, put, drop }: Extract<Ask, { do: 'set' }>): Promise<void> {
    const table = this.#table
    const stays = new Set(put.map(({ id }) => id))
    const gone = whole ? table.routes().flatMap(({ id }) => (stays.has(id) ? [] : id)) : drop
    const written: Written[] = [
      ...(timing ? [[timingKey, JSON.stringify(timing)] as const] : []),
      ...gone.map((id) => [id, null] as const),
      ...put
        .filter((route) => !same(table.get(route.id)?.route, route))
        .map((route) => [route.id, JSON.stringify(route)] as const),
    ]
    if (written.length > 0) await this.#journal.append(written)
    if (timing) table.timing = timing
    for (const id of gone) table.drop(id)
    for (const route of put) table.put(route)
  }

  async #remove({ id, drain, linger }: Extract<Ask, { do: 'remove' }>): Promise<Answers['remove']> {
    if (this.#table.get(id)?.route) await this.#set({ do: 'set', put: [], drop: [id] })
    await Promise.all([this.#table.drain(id, drain), linger && sleep(drain)])
    return this.#table.get(id)?.route ? {} : { last: this.#meters.figure(id) }
  }
}

/** Reads the routes that an earlier relay wrote down. */
export const takeRoutes =
  (table: Table) =>
  ([key, json]: Written): void => {
    if (key === timingKey && json !== null) table.timing = JSON.parse(json)
    else if (json === null) table.drop(key)
    else {
      const route: RelayRoute = JSON.parse(json)
      table.put(route)
    }
  }
/** All that a new relay has to know. */
export const writtenRoutes = (table: Table): Written[] => [
  [timingKey, JSON.stringify(table.timing)],
  ...table.routes().map((route) => [route.id, JSON.stringify(route)] as const),
]

const same = (a: RelayRoute | undefined, b: RelayRoute): boolean => JSON.stringify(a) === JSON.stringify(b)
