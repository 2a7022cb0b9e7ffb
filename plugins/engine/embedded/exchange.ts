import type { Duplex, Readable } from 'node:stream'
import { patience } from '../../../lib/patience.ts'
import type { Client, Fields } from './fields.ts'

/** One request of a client and the answer to it, by whichever version of HTTP. */
export interface Exchange {
  readonly client: Client
  readonly version: '1.0' | '1.1' | '2'
  readonly method: string
  readonly target: string
  /** The host as the client wrote it, with its port. */
  readonly authority: string
  readonly fields: Readonly<Fields>
  /** `undefined`: the request has none. Nothing is read before somebody listens. */
  readonly body: Readable | undefined
  /** Of the body, as declared. */
  readonly length: string | undefined
  /** Set where the client asks to speak another protocol on its connection. */
  readonly upgrade: boolean
  /** Who is told of what happens at the client's end. */
  watch(watcher: Watcher): void
  /** Trailers of the request, once the body has ended. */
  trailers(): Fields
  /** An interim response: 100 to 199, but for 101. */
  inform(status: number, fields: Fields): void
  /** The head of the answer. `bodyless`: nothing follows; `trailers`: some may follow the body. */
  respond(status: number, reason: string, fields: Fields, how: { bodyless: boolean; trailers: boolean }): void
  /** Sends the head now though no body is there yet. */
  flush(): void
  /** False: wait for `clientDrained`. */
  write(chunk: Buffer): boolean
  /** What of the request's body is still to come is thrown away, for a moment. */
  end(chunk: Buffer | undefined, trailers: Fields): void
  /** The raw connection after a 101. */
  take(fields: Fields): { readonly socket: Duplex; readonly head: Buffer }
  /** Breaks the answer off so that the client can tell. */
  cut(): void
  /** Bytes that wait in memory, of the request and the answer, and that nobody else counts. */
  held(): number
  /** Bytes taken by `write` and `end` that have not left. */
  unsent(): number
}

export interface Watcher {
  clientDrained(): void
  /** The client's connection holds as much as it may: nothing more is to be read for it until `clientDrained`. */
  clientFull?(): void
  /** The exchange is over, well or not. Called once. */
  gone(): void
}

const linger = 5_000

/** Lets a client send on behind its answer, since some read no answer before they have sent all; `cut` ends it where it goes on. */
export const discard = (body: Readable, cut: () => void): void => {
  if (body.readableEnded) return
  const stop = patience(linger, cut)
  body.once('end', stop).once('close', stop).resume()
}
