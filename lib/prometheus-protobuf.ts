/** What is asked for by `Accept` to be answered in this format. */
export const protobufType = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'

/** `created`: when the counter began, in seconds since 1970, where that is told. */
export type TakeCreated = (name: string, labels: ReadonlyMap<string, string>, value: number, created: number | undefined) => void

/**
 * Reads the protobuf format of Prometheus (`io.prometheus.client.MetricFamily`, each behind its length): counters, gauges and untyped
 * samples of `wanted` names; all else is passed over unread. Unlike the text format it tells when a counter began. Throws where it is cut
 * short or no protobuf; labels may be read only within `take`.
 */
export const readFamilies = (bytes: Uint8Array, take: TakeCreated, wanted: ReadonlySet<string>): void => {
  const all = new Reader(bytes)
  while (!all.over) family(all.message(), take, wanted)
}

const family = (reader: Reader, take: TakeCreated, wanted: ReadonlySet<string>): void => {
  let name = ''
  while (!reader.over) {
    const { field, wire } = reader.tag()
    // The name is written first.
    if (field === 1) {
      name = reader.text()
      if (!wanted.has(name)) return
    } else if (field === 4 && wanted.has(name)) metric(name, reader.message(), take)
    else reader.skip(wire)
  }
}

const metric = (name: string, reader: Reader, take: TakeCreated): void => {
  const labels = new Map<string, string>()
  let value: number | undefined
  let created: number | undefined
  while (!reader.over) {
    const { field, wire } = reader.tag()
    if (field === 1) {
      const [key, text] = pair(reader.message())
      labels.set(key, text)
    } else if (field === 2 || field === 3 || field === 5) {
      const sample = reader.message()
      while (!sample.over) {
        const inner = sample.tag()
        if (inner.field === 1 && inner.wire === 1) value = sample.double()
        else if (field === 3 && inner.field === 3) created = time(sample.message())
        else sample.skip(inner.wire)
      }
      // A value of zero is left out by some.
      value ??= 0
    } else reader.skip(wire)
  }
  if (value !== undefined) take(name, labels, value, created)
}

const pair = (reader: Reader): readonly [string, string] => {
  let [key, text] = ['', '']
  while (!reader.over) {
    const { field, wire } = reader.tag()
    if (field === 1) key = reader.text()
    else if (field === 2) text = reader.text()
    else reader.skip(wire)
  }
  return [key, text]
}

const time = (reader: Reader): number => {
  let [seconds, nanos] = [0, 0]
  while (!reader.over) {
    const { field, wire } = reader.tag()
    if (field === 1) seconds = reader.varint()
    else if (field === 2) nanos = reader.varint()
    else reader.skip(wire)
  }
  return seconds + nanos / 1e9
}

const utf8 = new TextDecoder()

/** Protobuf's wire format (protobuf.dev, "Encoding"). */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get over(): boolean {
    return this.#at >= this.#bytes.length
  }
  tag(): { readonly field: number; readonly wire: number } {
    const tag = this.varint()
    return { field: Math.floor(tag / 8), wire: tag % 8 }
  }
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new Error('it is cut short')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new Error('a number is too long')
  }
  double(): number {
    const at = this.#advance(8)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true)
  }
  text(): string {
    return utf8.decode(this.#piece())
  }
  message(): Reader {
    return new Reader(this.#piece())
  }
  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.#advance(8)
    else if (wire === 2) this.#piece()
    else if (wire === 5) this.#advance(4)
    else throw new Error(`there is no wire type ${wire}`)
  }
  #piece(): Uint8Array {
    const length = this.varint()
    const at = this.#advance(length)
    return this.#bytes.subarray(at, at + length)
  }
  #advance(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new Error('it is cut short')
    return at
  }
}
