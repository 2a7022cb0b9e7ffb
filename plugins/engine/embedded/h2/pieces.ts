/** Bytes below which a piece that has to wait is put together with those beside it: each costs as much memory as a hundred bytes. */
const small = 1_024
/** Bytes of a buffer that they are put into. */
const room = 8_192

/** Bytes that wait, in the pieces in which they came, but for small ones. */
export class Pieces {
  #all: Buffer[] = []
  #length = 0
  #shared: Buffer | undefined
  /** Of the shared buffer, the bytes that are taken. */
  #end = 0
  /** The last piece is the end of what is taken of it. */
  #open = false

  get length(): number {
    return this.#length
  }
  add(piece: Buffer): void {
    this.#length += piece.length
    if (this.#all.length > 0 && piece.length < small) this.#share(piece)
    else {
      this.#all.push(piece)
      this.#open = false
    }
  }
  /** The first bytes, `most` at most; `undefined`: there are none. */
  take(most: number): Buffer | undefined {
    const [first] = this.#all
    if (!first) return undefined
    const piece = first.length > most ? first.subarray(0, most) : first
    if (piece === first) this.#all.shift()
    else this.#all[0] = first.subarray(most)
    this.#length -= piece.length
    return piece
  }
  clear(): void {
    this.#all = []
    this.#length = 0
    this.#shared = undefined
    this.#open = false
  }

  #share(piece: Buffer): void {
    if (!this.#shared || this.#end + piece.length > room) {
      this.#shared = Buffer.allocUnsafeSlow(room)
      this.#end = 0
      this.#open = false
    }
    const begin = this.#open ? this.#end - (this.#all.pop()?.length ?? 0) : this.#end
    this.#end += piece.copy(this.#shared, this.#end)
    this.#all.push(this.#shared.subarray(begin, this.#end))
    this.#open = true
  }
}
