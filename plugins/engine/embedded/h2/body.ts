import { Readable } from 'node:stream'

/** The body of a request: what of it is read again makes room for more of it (RFC 9113 section 6.9). */
export class Body extends Readable {
  readonly #consumed: (bytes: number) => void
  #unread = 0

  constructor(consumed: (bytes: number) => void) {
    super({ highWaterMark: 65_536 })
    this.#consumed = consumed
  }
  receive(chunk: Buffer): void {
    this.#unread += chunk.length
    this.push(chunk)
  }
  /** Bytes that came and that nobody is going to read. */
  abandon(): void {
    const left = this.#unread
    this.#unread = 0
    if (left > 0) this.#consumed(left)
    this.destroy()
  }
  override _read(): void {
    const read = this.#unread - this.readableLength
    if (read <= 0) return
    this.#unread -= read
    this.#consumed(read)
  }
}
