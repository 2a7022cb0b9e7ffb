import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { lingeringClose } from '../../../lib/lingering-close.ts'
import { heldBy } from './buffer-budget.ts'
import type { Exchange, Watcher } from './exchange.ts'
import type { Client, Fields } from './fields.ts'
import { rawHead } from './pages.ts'
import type { Target } from './target.ts'

/** A request for another protocol: Node has let go of the connection, so the answer is written by hand and is the last one. */
export class UpgradeExchange implements Exchange {
  readonly client: Client
  readonly version = '1.1'
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly fields: Readonly<Fields>
  readonly body = undefined
  readonly length = undefined
  readonly upgrade = true
  #socket: Duplex
  #head: Buffer
  #taken = false

  constructor(req: IncomingMessage, socket: Duplex, head: Buffer, { authority, target }: Target, client: Client) {
    this.#socket = socket
    this.#head = head
    this.client = client
    this.method = req.method ?? ''
    this.target = target
    this.authority = authority
    this.fields = req.rawHeaders
  }
  watch(watcher: Watcher): void {
    this.#socket.on('close', () => {
      if (!this.#taken) watcher.gone()
    })
    this.#socket.on('drain', () => {
      if (!this.#taken) watcher.clientDrained()
    })
  }
  trailers(): Fields {
    return []
  }
  inform(status: number, fields: Fields): void {
    this.#socket.write(rawHead(status, '', fields), 'latin1')
  }
  respond(status: number, reason: string, fields: Fields): void {
    this.#socket.write(rawHead(status, reason, [...fields, 'Connection', 'close']), 'latin1')
    this.#socket.resume()
  }
  flush(): void {}
  write(chunk: Buffer): boolean {
    return this.#socket.write(chunk)
  }
  end(chunk: Buffer | undefined): void {
    lingeringClose(this.#socket, chunk)
  }
  take(fields: Fields): { socket: Duplex; head: Buffer } {
    this.#taken = true
    this.#socket.write(rawHead(101, '', fields), 'latin1')
    return { socket: this.#socket, head: this.#head }
  }
  cut(): void {
    this.#socket.destroy()
  }
  held(): number {
    return heldBy(this.#socket)
  }
  unsent(): number {
    return this.#socket.writableLength
  }
}
