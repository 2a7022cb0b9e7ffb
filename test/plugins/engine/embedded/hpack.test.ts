import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConnectionError } from '../../../../plugins/engine/embedded/h2/codes.ts'
import { Decoder } from '../../../../plugins/engine/embedded/h2/decoder.ts'
import { Encoder } from '../../../../plugins/engine/embedded/h2/encoder.ts'

const most = 65_536
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

// RFC 7541 appendix C.4: three requests on one connection, coded by Huffman.
const requests: readonly (readonly [block: string, fields: readonly string[]])[] = [
  [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
  ],
  [
    '8286 84be 5886 a8eb 1064 9cbf',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com', 'cache-control', 'no-cache'],
  ],
  [
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    [':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com', 'custom-key', 'custom-value'],
  ],
]

test('reads the requests of the standard, one after the other', () => {
  const decoder = new Decoder()
  for (const [block, fields] of requests) expect(decoder.decode(hex(block), most)).toEqual(fields)
})

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/)
const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 })
const known = fc.constantFrom('content-type', 'set-cookie', 'server', 'vary', 'x-a', 'etag')
const fields = fc.array(fc.tuple(fc.oneof(known, name), fc.oneof(fc.constantFrom('', 'a', 'text/html'), latin1)), {
  maxLength: 40,
})

test('reads back what it writes, block after block, whatever size the table is made', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fields, fc.option(fc.integer({ min: 0, max: 10_000 }))), { maxLength: 20 }), (blocks) => {
      const [encoder, decoder] = [new Encoder(), new Decoder()]
      for (const [block, size] of blocks) {
        if (size !== null) encoder.limit(size)
        const flat = block.flat()
        expect(decoder.decode(encoder.encode(200, flat), 1_000_000)).toEqual([':status', '200', ...flat])
      }
    }),
    { numRuns: 300 },
  )
})

test('takes any bytes for fields or for an error of the connection, and nothing else', () => {
  const decoder = new Decoder()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const read = decoder.decode(Buffer.from(bytes), most)
        return read === undefined || read.length % 2 === 0
      } catch (error) {
        return error instanceof ConnectionError
      }
    }),
    { numRuns: 20_000 },
  )
})

test('tells a list that is too long from an error, and reads on behind it', () => {
  const [encoder, decoder] = [new Encoder(), new Decoder()]
  const big = encoder.encode(0, ['x-big', 'b'.repeat(900)])
  expect(decoder.decode(big, most)).toEqual(['x-big', 'b'.repeat(900)])
  expect(decoder.decode(Buffer.alloc(10_000, 0x80 | 62), most)).toBeUndefined()
  expect(decoder.decode(Buffer.of(0x80 | 62), most)).toEqual(['x-big', 'b'.repeat(900)])
})
