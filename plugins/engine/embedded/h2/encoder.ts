import type { Fields } from '../fields.ts'
import { entryOverhead, staticEntries, staticTable, tableBytes } from './static-table.ts'

const names = new Map<string, number>()
const pairs = new Map<string, number>()
for (let i = staticTable.length - 2; i >= 0; i -= 2) {
  const [name = '', value = ''] = [staticTable[i], staticTable[i + 1]]
  names.set(name, i / 2 + 1)
  if (value !== '') pairs.set(`${name}\n${value}`, i / 2 + 1)
}

/** Of values that hardly come twice. */
const fleeting = new Set([
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'x-request-id',
])
/** Never kept by anybody on the way (RFC 7541 section 7.1.3). */
const secret = new Set(['authorization', 'set-cookie'])

/** Writes the header blocks of one connection (RFC 7541); they have to go out in the order in which they were written. */
export class Encoder {
  // By the pair, how many had been put into the table before it; the oldest first.
  #table = new Map<string, number>()
  #added = 0
  #size = 0
  #capacity = tableBytes
  #told = tableBytes
  #lowest = tableBytes
  #out: Buffer = Buffer.allocUnsafe(1_024)
  #at = 0

  /** What the peer's SETTINGS_HEADER_TABLE_SIZE allows. */
  limit(bytes: number): void {
    this.#capacity = Math.min(bytes, tableBytes)
    this.#lowest = Math.min(this.#lowest, this.#capacity)
    this.#evict(0)
  }

  /** A block of these fields, their names in lower case on the wire. `status`: of an answer; 0: trailers have none. */
  encode(status: number, fields: Readonly<Fields>): Buffer {
    this.#at = 0
    if (this.#told !== this.#capacity || this.#lowest < this.#capacity) {
      if (this.#lowest < this.#capacity) this.#integer(0x20, 5, this.#lowest)
      this.#integer(0x20, 5, this.#capacity)
      this.#told = this.#capacity
      this.#lowest = this.#capacity
    }
    if (status > 0) this.#field(':status', String(status))
    for (let i = 0; i < fields.length; i += 2) this.#field(fields[i]?.toLowerCase() ?? '', fields[i + 1] ?? '')
    return Buffer.from(this.#out.subarray(0, this.#at))
  }

  #field(name: string, value: string): void {
    const pair = `${name}\n${value}`
    const known = pairs.get(pair)
    if (known !== undefined) return void this.#integer(0x80, 7, known)
    const number = this.#table.get(pair)
    if (number !== undefined) return void this.#integer(0x80, 7, staticEntries + this.#added - number)
    const size = name.length + value.length + entryOverhead
    const index = names.get(name) ?? 0
    if (secret.has(name)) this.#integer(0x10, 4, index)
    else if (fleeting.has(name) || size > this.#capacity / 4) this.#integer(0, 4, index)
    else {
      this.#integer(0x40, 6, index)
      this.#evict(size)
      this.#table.set(pair, this.#added++)
      this.#size += size
    }
    if (index === 0) this.#text(name)
    this.#text(value)
  }
  #evict(room: number): void {
    for (const [pair] of this.#table) {
      if (this.#size + room <= this.#capacity) return
      this.#table.delete(pair)
      this.#size -= pair.length - 1 + entryOverhead
    }
  }

  #integer(flags: number, prefix: number, value: number): void {
    this.#room(6)
    const most = (1 << prefix) - 1
    this.#out[this.#at++] = flags | Math.min(value, most)
    if (value < most) return
    let left = value - most
    for (; left >= 128; left >>= 7) this.#out[this.#at++] = (left & 127) | 128
    this.#out[this.#at++] = left
  }
  #text(text: string): void {
    this.#integer(0, 7, text.length)
    this.#room(text.length)
    this.#at += this.#out.write(text, this.#at, 'latin1')
  }
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return
    this.#out = Buffer.concat([this.#out.subarray(0, this.#at), Buffer.allocUnsafe(this.#out.length + bytes)])
  }
}
