import { Readable } from 'node:stream'
import { Pieces } from './pieces.ts'

/** The body of a request: what of it is read makes room for more of it, at once and to the last byte (RFC 9113 section 6.9). */
export class Body extends Readable {
  readonly #consumed: (bytes: number) => void
  #unread = 0
  /** Behind what the stream itself holds. */
  readonly #waiting = new Pieces()

  constructor(consumed: (bytes: number) => void) {
    super({ highWaterMark: 65_536 })
    this.#consumed = consumed
  }
  receive(chunk: Buffer): void {
    this.#unread += chunk.length
    if (this.readableLength > 0) this.#waiting.add(chunk)
    else this.push(chunk)
    this.#tell()
  }
  /** All of it has come. */
  end(): void {
    this.#pass()
    this.push(null)
  }
  /** Bytes that came and that nobody is going to read. */
  abandon(): void {
    this.#waiting.clear()
    this.#consumed(this.#unread)
    this.#unread = 0
    this.destroy()
  }
  // What is read leaves by here, or by `push` itself. `_read` is no measure: it is not called for what is read behind the end.
  override read(size?: number): Buffer | null {
    if (size !== 0) this.#pass()
    const chunk: Buffer | null = super.read(size)
    this.#tell()
    return chunk
  }
  override _read(): void {}
  #pass(): void {
    for (let piece = this.#waiting.take(this.#waiting.length); piece; piece = this.#waiting.take(this.#waiting.length))
      this.push(piece)
  }
  #tell(): void {
    const read = this.#unread - this.readableLength - this.#waiting.length
    if (read <= 0) return
    this.#unread -= read
    this.#consumed(read)
  }
}
