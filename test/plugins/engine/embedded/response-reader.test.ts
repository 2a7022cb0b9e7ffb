import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadResponse, ResponseReader } from '../../../../plugins/engine/embedded/response-reader.ts'

interface Seen {
  status?: number
  reason?: string
  fields?: string[]
  body: string
  trailers?: string[]
  reusable?: boolean
  infos: number[]
  rest?: string
}

/** Reads an answer that comes in these pieces, and the end of the connection where `close` says so. */
const read = (pieces: readonly Buffer[], { head = false, upgrade = false, close = false } = {}): Seen => {
  const seen: Seen = { body: '', infos: [] }
  const reader = new ResponseReader({
    info: (status) => seen.infos.push(status),
    head: (status, reason, fields, _framing, reusable) => Object.assign(seen, { status, reason, fields, reusable }),
    data: (chunk) => {
      seen.body += chunk.toString('latin1')
    },
    done: (trailers) => {
      seen.trailers = trailers
    },
    upgraded: (fields, rest) => Object.assign(seen, { status: 101, fields, rest: rest.toString() }),
  })
  reader.expect(head, upgrade)
  for (const piece of pieces) reader.push(piece)
  if (close) reader.close()
  return seen
}
const bytes = (text: string) => Buffer.from(text, 'latin1')
const cut = (text: string, places: readonly number[]) => {
  const marks = [0, ...[...places].map((place) => place % text.length).sort((a, b) => a - b), text.length]
  return marks
    .slice(1)
    .map((mark, i) => bytes(text.slice(marks[i], mark)))
    .filter((piece) => piece.length > 0)
}

describe('an answer', () => {
  test.each<[string, string, object, Partial<Seen>]>([
    [
      'with a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
      {},
      { status: 200, reason: 'OK', fields: ['Content-Length', '5', 'X-A', 'b'], body: 'hello', reusable: true },
    ],
    [
      'in chunks, with an extension and trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n',
      {},
      { body: 'abc0123456789', trailers: ['X-T', '1'], reusable: true },
    ],
    [
      'up to the end of the connection',
      'HTTP/1.1 200 OK\r\n\r\nall of it',
      { close: true },
      { body: 'all of it', trailers: [], reusable: false },
    ],
    ['to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', { head: true }, { body: '', trailers: [], reusable: true }],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', {}, { status: 204, trailers: [], reusable: true }],
    ['304 with a length', 'HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n', {}, { status: 304, trailers: [], reason: '' }],
    [
      'behind interim ones',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      {},
      { infos: [100, 103], status: 200, trailers: [] },
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {}, { body: 'ok', reusable: false }],
    [
      'of HTTP/1.0 that keeps the connection',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
      {},
      { reusable: true },
    ],
    ['that closes', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', {}, { reusable: false }],
    [
      'with the same length twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
      {},
      { fields: ['Content-Length', '2'], body: 'ok' },
    ],
    [
      'with a length beside chunks, whose connection is not used again',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      {},
      { fields: ['Transfer-Encoding', 'chunked'], body: 'ok', reusable: false },
    ],
  ])('%s is read the same however it is cut', (_what, text, how, wanted) => {
    expect(read([bytes(text)], how)).toMatchObject(wanted)
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 8 }), (places) => {
        expect(read(cut(text, places), how)).toMatchObject(wanted)
      }),
    )
  })

  test('that switches protocols gives back what came behind it', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nfirst'
    expect(read([bytes(text)], { upgrade: true })).toMatchObject({ status: 101, fields: ['Upgrade', 'x'], rest: 'first' })
  })

  test.each([
    ['another protocol', 'SSH-2.0-x\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\r\nX-A: b\nX-B: c\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX-A: b\0\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n'],
    ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n'],
    ['a switch that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['another answer behind it', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`],
    ['a chunk line without end', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(5_000)}`],
  ])('with %s is refused', (_what, text) => {
    expect(() => read([bytes(text)])).toThrow(BadResponse)
  })

  test.each([
    '',
    'HTTP/1.1 200',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
  ])('that ends too early is no answer: %j', (text) => {
    expect(() => read([bytes(text)], { close: true })).toThrow(BadResponse)
  })

  test('of any bytes is read or refused, and nothing else', () => {
    const start = fc.constantFrom('', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    fc.assert(
      fc.property(
        start,
        fc.string({ unit: fc.constantFrom('\r\n', ':', 'a', '1', ' ', '\0', ';', 'Content-Length: 3', '\n'), maxLength: 60 }),
        (head, rest) => {
          try {
            read([bytes(head + rest)], { close: true })
          } catch (error) {
            expect(error).toBeInstanceOf(BadResponse)
          }
        },
      ),
    )
  })
})

test('a value loses the blanks and tabs around it, and no other character (RFC 9110 section 5.6.3)', () => {
  const { fields } = read([bytes('HTTP/1.1 200 OK\r\nX-A: \t \xa0a \t b\xa0\x85 \t\r\nX-B:\t \r\nContent-Length:\t0 \r\n\r\n')])
  expect(fields).toEqual(['X-A', '\xa0a \t b\xa0\x85', 'X-B', '', 'Content-Length', '0'])
})

test.each(['\x0b5', '5\x0b', '\x0c5', '\xa05', '5\xa0', '\x855', '+5', '5,5', '0x5'])('a length is not %j', (length) => {
  expect(() => read([bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\nhello`)])).toThrow(BadResponse)
})

test.each(['\x0bchunked', 'chunked\x0c', '\xa0chunked', 'chunked\xa0', 'chunked, chunked', '\u0100'])(
  'a transfer coding is not %j',
  (coding) => {
    expect(() => read([bytes(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`)])).toThrow(BadResponse)
  },
)
