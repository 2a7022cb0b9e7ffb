/** A DNS name without compression (RFC 1035 section 3.1); in lower case it is canonical. */
export const wireName = (name: string): Buffer => {
  const labels = name.replace(/\.$/, '').split('.').filter(Boolean)
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ])
}
export const u16 = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(numbers.length * 2)
  for (const [at, number] of numbers.entries()) bytes.writeUInt16BE(number, at * 2)
  return bytes
}

export interface WireRecord {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly data: Buffer
}
export const wireRecord = ({ name, type, class: klass, ttl, data }: WireRecord): Buffer => {
  const seconds = Buffer.alloc(4)
  seconds.writeUInt32BE(ttl)
  return Buffer.concat([wireName(name), u16(type, klass), seconds, u16(data.length), data])
}

/** The last record of a message and where it begins; `undefined` where it has none. Throws on what is no message. */
export const lastRecord = (
  message: Buffer,
): { readonly at: number; readonly type: number; readonly data: Buffer } | undefined => {
  const [questions = 0, ...records] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at))
  let at = 12
  for (let n = 0; n < questions; n++) at = afterName(message, at) + 4
  let last: ReturnType<typeof lastRecord>
  for (let n = records.reduce((sum, count) => sum + count); n > 0; n--) {
    const fixed = afterName(message, at)
    const end = fixed + 10 + message.readUInt16BE(fixed + 8)
    if (end > message.length) throw new Error('a cut message')
    last = { at, type: message.readUInt16BE(fixed), data: message.subarray(fixed + 10, end) }
    at = end
  }
  return last
}

const afterName = (message: Buffer, start: number): number => {
  for (let at = start; ; ) {
    const length = message.readUInt8(at)
    if (length >= 0xc0) return at + 2
    at += 1 + length
    if (length === 0) return at
  }
}
/** Where a name without compression ends within these bytes. */
export const endOfName = afterName
