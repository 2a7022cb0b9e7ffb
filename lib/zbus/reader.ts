import { isUtf8 } from 'node:buffer'

/** A payload of which only the first and the last bytes are at hand. `size`: of the whole, in bytes. */
export interface Ends {
  readonly size: number
  readonly head: Uint8Array
  readonly tail: Uint8Array
}

const none = new Uint8Array()
/** How many bytes follow these tags: booleans, floats, integers, fixext. */
const fixed = new Map([
  ...[0xc2, 0xc3].map((tag) => [tag, 0] as const),
  ...[0xcc, 0xd0].map((tag) => [tag, 1] as const),
  ...[0xcd, 0xd1, 0xd4].map((tag) => [tag, 2] as const),
  ...[0xca, 0xce, 0xd2].map((tag) => [tag, 4] as const),
  ...[0xcb, 0xcf, 0xd3].map((tag) => [tag, 8] as const),
  [0xd5, 3],
  [0xd6, 5],
  [0xd7, 9],
  [0xd8, 17],
])

const asText = ({ buffer, byteOffset, length }: Uint8Array) => Buffer.from(buffer, byteOffset, length).toString('utf8')
const replacement = '\ufffd'

/** Walks MessagePack without building values, so that nothing in it can make the walk cost more than its bytes. */
export class Reader {
  /** Offset of the next byte. */
  at = 0
  readonly size: number
  readonly #head: Uint8Array
  readonly #tail: Uint8Array
  readonly #tailAt: number

  constructor(of: Uint8Array | Ends) {
    const ends = of instanceof Uint8Array ? { size: of.length, head: of, tail: none } : of
    this.size = ends.size
    this.#head = ends.head
    this.#tail = ends.tail
    this.#tailAt = ends.size - ends.tail.length
  }

  /** Steps over a value in which lists and maps are nested at most `depth` deep. Throws a RangeError where it cannot. */
  skip(depth: number): void {
    const tag = this.#next()
    const values = this.#countOfValues(tag)
    if (values === undefined) this.#step(this.#lengthOfBytes(tag) ?? fixed.get(tag) ?? this.#lengthOfExtension(tag))
    else if (depth <= 0) throw new RangeError('lists and maps are nested too deep')
    else for (let left = values; left > 0; left--) this.skip(depth - 1)
  }

  /** The bytes of a str or bin, nil as none; undefined where another value stands, which is then still the next. */
  bytes(): Uint8Array | undefined {
    const start = this.at
    const tag = this.#next()
    const length = this.#lengthOfBytes(tag)
    if (length === undefined) this.at = start
    else this.#step(length)
    return length === undefined ? undefined : this.#slice(this.at - length, this.at)
  }

  /** A str or bin as text, nil as the empty one; undefined where it is no UTF-8 or another value stands, which is then still the next. */
  text(): string | undefined {
    const start = this.at
    const bytes = this.bytes()
    const text = bytes && asText(bytes)
    if (!bytes || !text?.includes(replacement) || isUtf8(bytes)) return text
    this.at = start
    return undefined
  }

  /** How many values (a map: pairs) follow, nil as none; undefined where no such value stands. */
  count(kind: 'list' | 'map'): number | undefined {
    const [small, medium] = kind === 'list' ? [0x90, 0xdc] : [0x80, 0xde]
    const tag = this.#byte(this.at)
    if (tag !== 0xc0 && (tag & 0xf0) !== small && tag !== medium && tag !== medium + 1) return undefined
    this.at++
    if (tag === 0xc0) return 0
    if ((tag & 0xf0) === small) return tag & 0x0f
    return this.#uint(tag === medium ? 2 : 4)
  }

  #lengthOfBytes(tag: number): number | undefined {
    if (tag >= 0xa0 && tag <= 0xbf) return tag & 0x1f
    switch (tag) {
      case 0xc0:
        return 0
      case 0xc4:
      case 0xd9:
        return this.#uint(1)
      case 0xc5:
      case 0xda:
        return this.#uint(2)
      case 0xc6:
      case 0xdb:
        return this.#uint(4)
    }
    return undefined
  }

  /** Of a list or map: how many values follow its header. */
  #countOfValues(tag: number): number | undefined {
    if (tag >= 0x80 && tag <= 0x8f) return (tag & 0x0f) * 2
    if (tag >= 0x90 && tag <= 0x9f) return tag & 0x0f
    switch (tag) {
      case 0xdc:
        return this.#uint(2)
      case 0xdd:
        return this.#uint(4)
      case 0xde:
        return this.#uint(2) * 2
      case 0xdf:
        return this.#uint(4) * 2
    }
    return undefined
  }

  /** Its data and the byte of its type. */
  #lengthOfExtension(tag: number): number {
    switch (tag) {
      case 0xc7:
        return this.#uint(1) + 1
      case 0xc8:
        return this.#uint(2) + 1
      case 0xc9:
        return this.#uint(4) + 1
    }
    if (tag <= 0x7f || tag >= 0xe0) return 0
    throw new RangeError(`no MessagePack value begins with 0x${tag.toString(16)}`)
  }

  #uint(length: 1 | 2 | 4): number {
    let value = 0
    for (let left: number = length; left > 0; left--) value = value * 256 + this.#next()
    return value
  }

  #next(): number {
    return this.#byte(this.at++)
  }

  #step(length: number): void {
    if (this.at + length > this.size) throw new RangeError('the payload ends inside a value')
    this.at += length
  }

  #byte(at: number): number {
    const byte = at < this.#head.length ? this.#head[at] : this.#tail[at - this.#tailAt]
    if (byte === undefined) throw new RangeError('the payload ends inside a value')
    return byte
  }

  #slice(from: number, to: number): Uint8Array {
    if (to <= this.#head.length) return this.#head.subarray(from, to)
    if (from >= this.#tailAt) return this.#tail.subarray(from - this.#tailAt, to - this.#tailAt)
    throw new RangeError('the middle of the payload is not at hand')
  }
}
