import { ConnectionError, errorCode } from './codes.ts'
import { decodeHuffman } from './huffman.ts'
import { entryOverhead, staticEntries, staticTable, tableBytes } from './static-table.ts'

/** Reads the header blocks of one connection (RFC 7541), which have to come in order, each of them. */
export class Decoder {
  // Names and values by turns, the newest last.
  #table: string[] = []
  #size = 0
  #capacity = tableBytes
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  /** Raw names and values by turns, as latin1; `undefined` where the list is longer than `most` (RFC 9113 section 10.5.1). Throws ConnectionError. */
  decode(block: Buffer, most: number): string[] | undefined {
    const fields: string[] = []
    let size = 0
    let begun = false
    this.#block = block
    this.#at = 0
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0
      if ((first & 0xe0) === 0x20) {
        const capacity = this.#integer(5)
        if (begun || capacity > tableBytes) throw wrong('changes the size of the table')
        this.#capacity = capacity
        this.#evict(0)
        continue
      }
      begun = true
      const indexed = first >= 0x80
      const kept = !indexed && first >= 0x40
      const index = this.#integer(indexed ? 7 : kept ? 6 : 4)
      const name = index === 0 && !indexed ? this.#text() : this.#entry(index, 0)
      const value = indexed ? this.#entry(index, 1) : this.#text()
      if (kept) this.#keep(name, value)
      size += name.length + value.length + entryOverhead
      if (size <= most) fields.push(name, value)
    }
    return size <= most ? fields : undefined
  }

  #entry(index: number, part: 0 | 1): string {
    if (index > 0 && index <= staticEntries) return staticTable[index * 2 - 2 + part] ?? ''
    const at = this.#table.length - (index - staticEntries) * 2
    const found = index === 0 ? undefined : this.#table[at + part]
    if (found === undefined) throw wrong(`names entry ${index}`)
    return found
  }
  #keep(name: string, value: string): void {
    const size = name.length + value.length + entryOverhead
    this.#evict(size)
    if (size > this.#capacity) return
    this.#table.push(name, value)
    this.#size += size
  }
  #evict(room: number): void {
    let gone = 0
    while (this.#size > 0 && this.#size + room > this.#capacity) {
      this.#size -= (this.#table[gone]?.length ?? 0) + (this.#table[gone + 1]?.length ?? 0) + entryOverhead
      gone += 2
    }
    if (gone > 0) this.#table.splice(0, gone)
  }

  // RFC 7541 section 5.1.
  #integer(prefix: number): number {
    const most = (1 << prefix) - 1
    let value = (this.#block[this.#at++] ?? 0) & most
    if (value < most) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#block[this.#at++]
      if (byte === undefined) break
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw wrong('has a number that is too large, or ends within one')
  }
  // RFC 7541 section 5.2.
  #text(): string {
    const coded = (this.#block[this.#at] ?? 0) >= 0x80
    if (this.#at >= this.#block.length) throw wrong('ends too early')
    const length = this.#integer(7)
    const start = this.#at
    const end = start + length
    if (end > this.#block.length) throw wrong('ends within a text')
    this.#at = end
    return coded ? decodeHuffman(this.#block, start, end) : this.#block.toString('latin1', start, end)
  }
}

const wrong = (what: string): ConnectionError => new ConnectionError(errorCode.compression, `a header block ${what}`)
