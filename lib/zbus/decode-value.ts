import { isUtf8 } from 'node:buffer'
import { decodeTimestampExtension, ExtData } from '@msgpack/msgpack'

/** Decodes the value that `bytes` begin with. Its lengths and depth have been checked: `Reader.skip` does. */
export const decodeValue = (bytes: Uint8Array): unknown => new Decoder(bytes).value()

class Decoder {
  readonly #source: Uint8Array
  /** The same memory, with the methods of a Buffer. */
  readonly #bytes: Buffer
  #at = 0

  constructor(source: Uint8Array) {
    this.#source = source
    this.#bytes = Buffer.from(source.buffer, source.byteOffset, source.length)
  }

  value(): unknown {
    const tag = this.#uint(1)
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#map(tag & 0x0f)
    if (tag < 0xa0) return this.#list(tag & 0x0f)
    if (tag < 0xc0) return this.#text(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    return tag < 0xca || tag >= 0xd4 ? this.#sized(tag) : this.#number(tag)
  }

  /** What says its size, in the tag or behind it: nil, booleans, bytes, texts, lists, maps and extensions. */
  #sized(tag: number): unknown {
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
      case 0xc3:
        return tag === 0xc3
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (tag - 0xc4)))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (tag - 0xc7)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (tag - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#list(this.#uint(2 << (tag - 0xdc)))
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (tag - 0xde)))
    }
    return this.#extension(1 << (tag - 0xd4))
  }

  #number(tag: number): number | bigint {
    const at = this.#at
    switch (tag) {
      case 0xca:
        this.#at += 4
        return this.#bytes.readFloatBE(at)
      case 0xcb:
        this.#at += 8
        return this.#bytes.readDoubleBE(at)
      case 0xcf:
        this.#at += 8
        return this.#bytes.readBigUInt64BE(at)
      case 0xd3:
        this.#at += 8
        return this.#bytes.readBigInt64BE(at)
    }
    const signed = tag >= 0xd0
    const length = 1 << (tag - (signed ? 0xd0 : 0xcc))
    this.#at += length
    return signed ? this.#bytes.readIntBE(at, length) : this.#bytes.readUIntBE(at, length)
  }

  #uint(length: number): number {
    this.#at += length
    return this.#bytes.readUIntBE(this.#at - length, length)
  }

  /** In the memory of the message. */
  #take(length: number): Uint8Array {
    this.#at += length
    return this.#source.subarray(this.#at - length, this.#at)
  }

  #text(length: number): string | Uint8Array {
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length)
    // Only where a replacement character stands may it be no UTF-8.
    if (!text.includes('\ufffd') || isUtf8(this.#bytes.subarray(this.#at, this.#at + length))) {
      this.#at += length
      return text
    }
    return this.#take(length)
  }

  #list(length: number): unknown[] {
    const list: unknown[] = []
    while (list.length < length) list.push(this.value())
    return list
  }

  #map(size: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (let left = size; left > 0; left--) {
      const key = keyOf(this.value())
      if (key === '__proto__') throw new RangeError('a map key is __proto__')
      map[key] = this.value()
    }
    return map
  }

  #extension(length: number): unknown {
    const type = (this.#uint(1) << 24) >> 24
    const data = this.#take(length)
    return type === -1 ? decodeTimestampExtension(data) : new ExtData(type, data)
  }
}

/** Go's maps may have keys of any type: as text, `1`, `true`, `null`, and lists and maps as JSON. */
const keyOf = (key: unknown): string => {
  if (typeof key === 'string') return key
  if (key instanceof Uint8Array) return Buffer.from(key).toString('utf8')
  if (typeof key === 'object' && key !== null)
    return JSON.stringify(key, (_, each) => (typeof each === 'bigint' ? String(each) : each))
  return String(key)
}
