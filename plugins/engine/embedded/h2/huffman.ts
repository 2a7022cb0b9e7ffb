import { ConnectionError, errorCode } from './codes.ts'

// RFC 7541 appendix B. The code is canonical: the lengths say all of it. The last one is EOS.
const lengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22,
  23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22,
  21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26,
  27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26,
  26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
]
const eos = 256
const longest = 30
/** Codes of up to so many bits are found in one step: nearly all that occur. */
const quick = 10

const symbols = lengths.map((_length, symbol) => symbol).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b)
/** By length: the first code of it, and where its symbols begin in `symbols`. */
const firstCode = new Uint32Array(longest + 2)
const firstAt = new Uint16Array(longest + 2)
const table = new Uint16Array(1 << quick)

for (let length = 1, code = 0, at = 0; length <= longest; length++) {
  firstCode[length] = code
  firstAt[length] = at
  while (at < symbols.length && lengths[symbols[at] ?? 0] === length) {
    if (length <= quick) table.fill(((symbols[at] ?? 0) << 4) | length, code << (quick - length), (code + 1) << (quick - length))
    code++
    at++
  }
  firstAt[length + 1] = at
  code *= 2
}

let text: Buffer = Buffer.allocUnsafe(8_192)

/** The text of the bytes from `start` to `end`, as latin1. Throws ConnectionError. */
export const decodeHuffman = (from: Buffer, start: number, end: number): string => {
  const most = Math.ceil(((end - start) * 8) / 5)
  if (text.length < most) text = Buffer.allocUnsafe(most * 2)
  const last = end * 8
  let at = start * 8
  let length = 0
  while (at < last) {
    const byte = at >> 3
    const bits = ((from[byte] ?? 0) << 16) | (byteOr1(from, byte + 1, end) << 8) | byteOr1(from, byte + 2, end)
    const entry = table[(bits >> (24 - quick - (at & 7))) & ((1 << quick) - 1)] ?? 0
    if (entry !== 0) {
      if (at + (entry & 15) > last) break
      text[length++] = entry >> 4
      at += entry & 15
    } else {
      const [symbol, size] = longCode(from, at, last)
      if (size === 0) break
      text[length++] = symbol
      at += size
    }
  }
  const left = last - at
  const ones = (1 << left) - 1
  if (left > 7 || (left > 0 && ((from[end - 1] ?? 0) & ones) !== ones)) throw wrong('padding')
  return text.toString('latin1', 0, length)
}

const byteOr1 = (from: Buffer, at: number, end: number): number => (at < end ? (from[at] ?? 0xff) : 0xff)

/** Symbol and length of a code of more than `quick` bits; length 0: the bits end before it does. */
const longCode = (from: Buffer, at: number, last: number): readonly [symbol: number, length: number] => {
  let code = 0
  for (let length = 1; length <= longest && at + length <= last; length++) {
    const bit = at + length - 1
    code = code * 2 + (((from[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
    const index = code - (firstCode[length] ?? 0)
    if (length > quick && index >= 0 && index < (firstAt[length + 1] ?? 0) - (firstAt[length] ?? 0)) {
      const symbol = symbols[(firstAt[length] ?? 0) + index] ?? eos
      if (symbol === eos) throw wrong('end of string')
      return [symbol, length]
    }
  }
  return [0, 0]
}

const wrong = (what: string): ConnectionError => new ConnectionError(errorCode.compression, `a Huffman code has a wrong ${what}`)
