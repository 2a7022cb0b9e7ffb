import type { Socket } from 'node:net'
import { timeAwake } from '../../../lib/patience.ts'
import type { Connected } from '../../../lib/proxy-protocol.ts'
import { splice, type Tunnel } from '../../../lib/splice.ts'
import type { Access } from './access-log.ts'
import type { Backend } from './backends.ts'
import { BufferGauge, type ConnectionBuffers, heldBy } from './buffer-budget.ts'
import type { ClientUsage } from './client-limits.ts'
import type { Awake, Flow } from './table.ts'

export interface PassthroughDeck {
  /** Idle time in ms after which a connection is cut; 0: never. */
  readonly tunnelTime: number
  /** The same once one side has stopped sending. */
  readonly halfClosedTime: number
  complain(awake: Awake, message: string, status?: number): void
  readonly access: ((access: Access) => void) | undefined
  tunnelled(socket: Socket): void
  began(awake: Awake, flow: Flow): void
  ended(awake: Awake, flow: Flow): void
  /** What goes to the backend before the client's own bytes. */
  preface(connected: Connected): Buffer | undefined
}

/** A connection passed through to a backend, TLS and all. */
export class Passthrough implements Flow {
  readonly #deck: PassthroughDeck
  readonly #awake: Awake
  readonly #client: Socket
  readonly usage: ClientUsage | undefined
  readonly #connected: Connected
  readonly #tried = new Set<Backend>()
  readonly #gauge: BufferGauge
  #measure: (() => void) | undefined
  #tunnel: Tunnel | undefined
  #moved = timeAwake()
  readonly #began = performance.now()
  #received = 0
  #given = 0
  #over = false

  constructor(
    deck: PassthroughDeck,
    awake: Awake,
    client: Socket,
    connected: Connected,
    usage: ClientUsage | undefined,
    buffers: ConnectionBuffers,
  ) {
    this.usage = usage
    this.#gauge = new BufferGauge(buffers)
    this.#connected = connected
    this.#deck = deck
    this.#awake = awake
    this.#client = client
    deck.began(awake, this)
    client.on('close', () => {
      if (!this.#tunnel) this.#gone()
    })
  }

  start(): void {
    this.#dial()
  }
  #dial(): void {
    const backend = this.#awake.backends.pick(this.#tried)
    if (!backend) {
      this.#client.destroy()
      return
    }
    backend.connect((result) => {
      if (this.#over) {
        if (!(result instanceof Error)) result.destroy()
      } else if (!(result instanceof Error)) this.#join(result)
      else {
        this.#tried.add(backend)
        if (this.#tried.size < this.#awake.backends.all.length) return this.#dial()
        const { id } = this.#awake
        const message = `${backend.address.text} cannot be reached: ${result.message}`
        this.#deck.complain(this.#awake, `a passed-through connection for ${id} was closed: ${message}`)
        this.#client.destroy()
      }
    }, 'tcp')
  }

  #join(backend: Socket): void {
    const preface = this.#deck.preface(this.#connected)
    if (preface) backend.write(preface)
    this.#deck.tunnelled(this.#client)
    const { meter } = this.#awake
    const empty = Buffer.alloc(0)
    const up = (bytes: number) => {
      meter.request += bytes
      this.#received += bytes
      this.#moved = timeAwake()
    }
    const down = (bytes: number) => {
      meter.response += bytes
      this.#given += bytes
      this.#moved = timeAwake()
    }
    this.#tunnel = splice({ socket: this.#client, head: empty, count: up }, { socket: backend, head: empty, count: down }, () =>
      this.#gone(),
    )
    this.#measure = () => this.#gauge.set(heldBy(this.#client) + heldBy(backend))
  }

  #gone(): void {
    if (this.#over) return
    this.#over = true
    this.#gauge.set(0)
    this.#awake.meter.response -= this.pending()
    const now = performance.now()
    this.#deck.ended(this.#awake, this)
    this.#deck.access?.({
      workload: this.#awake.id,
      host: this.#awake.route.host,
      client: this.#connected.source.address,
      protocol: 'TLS passthrough',
      request: this.#received,
      response: this.#given - this.pending(),
      milliseconds: Math.round(now - this.#began),
    })
  }
  pending(): number {
    return Math.min(this.#client.writableLength, this.#given)
  }
  cut(): void {
    this.#client.destroy()
    this.#tunnel?.cut()
    this.#gone()
  }
  tick(now: number): void {
    this.#measure?.()
    const { tunnelTime, halfClosedTime } = this.#deck
    const most = this.#tunnel?.halfClosed ? halfClosedTime : tunnelTime
    if (most > 0 && now - this.#moved > most) this.cut()
  }
}
