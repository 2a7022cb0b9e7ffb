/** Writes MessagePack into one buffer, which grows. `size`: bytes that are enough at first. */
export class Writer {
  #out: Buffer
  #at = 0

  constructor(size: number) {
    this.#out = Buffer.allocUnsafe(size)
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#out.set(bytes, this.#at)
    this.#at += bytes.length
  }

  nil(): void {
    this.#tag(0xc0, 0)
  }

  boolean(value: boolean): void {
    this.#tag(value ? 0xc3 : 0xc2, 0)
  }

  text(text: string): void {
    const length = Buffer.byteLength(text)
    if (length <= 31) this.#tag(0xa0 | length, length)
    else this.#length(0xd9, length, length)
    this.#at += this.#out.write(text, this.#at, 'utf8')
  }

  bytes(bytes: Uint8Array): void {
    this.#length(0xc4, bytes.length, bytes.length)
    this.raw(bytes)
  }

  /** A list of so many values, which follow. */
  list(length: number): void {
    if (length <= 15) this.#tag(0x90 | length, 0)
    else this.#count(0xdc, length)
  }

  /** A map of so many pairs, which follow, each key before its value. */
  map(size: number): void {
    if (size <= 15) this.#tag(0x80 | size, 0)
    else this.#count(0xde, size)
  }

  /** In the shortest form. `value`: a safe integer. */
  integer(value: number): void {
    if (value >= 0) {
      if (value < 0x80) this.#tag(value, 0)
      else if (value <= 0xffff_ffff) this.#length(0xcc, value, 0)
      else this.integer64(BigInt(value))
    } else if (value >= -0x20) this.#tag(value & 0xff, 0)
    else if (value >= -0x8000_0000) {
      const size = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : 4
      this.#tag(size === 4 ? 0xd2 : 0xcf + size, size)
      this.#at = this.#out.writeIntBE(value, this.#at, size)
    } else this.integer64(BigInt(value))
  }

  /** `value`: from -2^63 to 2^64-1. */
  integer64(value: bigint): void {
    this.#tag(value < 0n ? 0xd3 : 0xcf, 8)
    this.#at = this.#out.writeBigUInt64BE(BigInt.asUintN(64, value), this.#at)
  }

  float32(value: number): void {
    this.#tag(0xca, 4)
    this.#at = this.#out.writeFloatBE(value, this.#at)
  }

  float64(value: number): void {
    this.#tag(0xcb, 8)
    this.#at = this.#out.writeDoubleBE(value, this.#at)
  }

  /** `type`: from -128 to 127. */
  extension(type: number, data: Uint8Array): void {
    const power = Math.log2(data.length)
    if (Number.isInteger(power) && power <= 4) this.#tag(0xd4 + power, 1)
    else this.#length(0xc7, data.length, 1)
    this.#at = this.#out.writeInt8(type, this.#at)
    this.raw(data)
  }

  /** What was written. */
  done(): Buffer {
    return this.#out.subarray(0, this.#at)
  }

  /** `room`: bytes that follow the tag. */
  #tag(tag: number, room: number): void {
    this.#reserve(1 + room)
    this.#out[this.#at++] = tag
  }

  /** The tag for numbers of 8 bits, or those behind it for 16 and 32, and the number. */
  #length(tag: number, value: number, room: number): void {
    const size = value <= 0xff ? 1 : value <= 0xffff ? 2 : 4
    this.#tag(tag + (size === 4 ? 2 : size - 1), size + room)
    this.#at = this.#out.writeUIntBE(value, this.#at, size)
  }

  /** The tag for counts of 16 bits, or the one behind it for 32, and the count. */
  #count(tag: number, value: number): void {
    const size = value <= 0xffff ? 2 : 4
    this.#tag(size === 2 ? tag : tag + 1, size)
    this.#at = this.#out.writeUIntBE(value, this.#at, size)
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#out.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#out.length))
    this.#out.copy(larger, 0, 0, this.#at)
    this.#out = larger
  }
}
