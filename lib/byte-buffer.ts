const nothing: Buffer = Buffer.alloc(0)

/** Bytes that arrive in pieces and are wanted as one. Appending costs in all a small multiple of the bytes, however small the pieces are. */
export class ByteBuffer {
  #space: Buffer = nothing
  #length = 0
  /** `#space` is a piece as it came: its owner may go on using what is beyond. */
  #borrowed = false

  get length(): number {
    return this.#length
  }
  /** A view, valid until the next `append`. */
  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length)
  }
  append(piece: Buffer): void {
    if (this.#length === 0) {
      this.#space = piece
      this.#length = piece.length
      this.#borrowed = true
      return
    }
    const length = this.#length + piece.length
    if (this.#borrowed || length > this.#space.length) {
      const space = Buffer.allocUnsafe(this.#borrowed ? length : 2 * length)
      this.#space.copy(space, 0, 0, this.#length)
      this.#space = space
      this.#borrowed = false
    }
    piece.copy(this.#space, this.#length)
    this.#length = length
  }
  /** All bytes, which are the caller's from now on; the buffer is empty. */
  take(): Buffer {
    const { bytes } = this
    this.#space = nothing
    this.#length = 0
    this.#borrowed = false
    return bytes
  }
}
