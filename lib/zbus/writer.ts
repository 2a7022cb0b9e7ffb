/** Writes MessagePack into one buffer. `size`: enough bytes for all that is written. */
export class Writer {
  readonly #out: Buffer
  #at = 0

  constructor(size: number) {
    this.#out = Buffer.allocUnsafe(size)
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#out.set(bytes, this.#at)
    this.#at += bytes.length
  }

  nil(): void {
    this.#out[this.#at++] = 0xc0
  }

  text(text: string): void {
    const length = Buffer.byteLength(text)
    if (length <= 31) this.#out[this.#at++] = 0xa0 | length
    else this.#length(0xd9, length)
    this.#at += this.#out.write(text, this.#at, 'utf8')
  }

  bytes(bytes: Uint8Array): void {
    this.#length(0xc4, bytes.length)
    this.raw(bytes)
  }

  /** What was written. */
  done(): Buffer {
    return this.#out.subarray(0, this.#at)
  }

  /** The tag for lengths of 8 bits, or those behind it for 16 and 32, and the length. */
  #length(tag: number, length: number): void {
    const size = length <= 0xff ? 1 : length <= 0xffff ? 2 : 4
    this.#out[this.#at++] = tag + (size === 4 ? 2 : size - 1)
    this.#at = this.#out.writeUIntBE(length, this.#at, size)
  }
}
