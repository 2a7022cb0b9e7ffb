import { Readable } from 'node:stream'

/** The body of a request: what of it is read makes room for more of it, at once and to the last byte (RFC 9113 section 6.9). */
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
    this.#tell(this.readableLength)
  }
  /** Bytes that came and that nobody is going to read. */
  abandon(): void {
    this.#tell(0)
    this.destroy()
  }
  // What is read leaves by here, or by `push` itself. `_read` is no measure: it is not called for what is read behind the end.
  override read(size?: number): Buffer | null {
    const chunk: Buffer | null = super.read(size)
    this.#tell(this.readableLength)
    return chunk
  }
  override _read(): void {}
  #tell(kept: number): void {
    const read = this.#unread - kept
    if (read <= 0) return
    this.#unread = kept
    this.#consumed(read)
  }
}
