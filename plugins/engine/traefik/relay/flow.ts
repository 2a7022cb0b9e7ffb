import type { Socket } from 'node:net'
import { type Connected, proxyHeader } from '../../../../lib/proxy-protocol.ts'
import { splice, type Tunnel } from '../../../../lib/splice.ts'
import type { Open, Workload } from './table.ts'
import type { Target } from './target.ts'

const nothing = Buffer.alloc(0)

/** A client's connection on its way to a backend, counted. */
export class Flow implements Open {
  readonly #workload: Workload
  readonly #client: Socket
  readonly #connected: Connected
  readonly #tried = new Set<Target>()
  #tunnel: Tunnel | undefined
  #given = 0
  #over = false

  constructor(workload: Workload, client: Socket, connected: Connected) {
    this.#workload = workload
    this.#client = client
    this.#connected = connected
    workload.flows.add(this)
    client.on('close', () => {
      if (!this.#tunnel) this.#gone()
    })
    this.#dial()
  }

  pending(): number {
    return Math.min(this.#client.writableLength, this.#given)
  }
  cut(): void {
    this.#client.destroy()
    this.#tunnel?.cut()
    this.#gone()
  }

  #dial(): void {
    const { targets } = this.#workload
    const target = targets.pick(this.#tried)
    if (!target) {
      this.#client.destroy()
      return
    }
    target.dial((result) => {
      if (this.#over) {
        if (!(result instanceof Error)) result.destroy()
      } else if (!(result instanceof Error)) this.#join(result)
      else {
        this.#tried.add(target)
        if (this.#tried.size < targets.all.length) this.#dial()
        else this.#client.destroy()
      }
    })
  }
  #join(backend: Socket): void {
    const { meter, route } = this.#workload
    if (route?.sendProxy) backend.write(proxyHeader(route.sendProxy, this.#connected))
    const up = (bytes: number) => {
      meter.request += bytes
    }
    const down = (bytes: number) => {
      meter.response += bytes
      this.#given += bytes
    }
    const ends = [
      { socket: this.#client, head: nothing, count: up },
      { socket: backend, head: nothing, count: down },
    ] as const
    this.#tunnel = splice(...ends, () => this.#gone())
  }
  #gone(): void {
    if (this.#over) return
    this.#over = true
    this.#workload.meter.response -= this.pending()
    this.#workload.ended(this)
  }
}
