import { describe, test } from 'vitest'
import { ClientHelloReader } from '../../../../lib/client-hello.ts'
import { readProxyHeader } from '../../../../lib/proxy-protocol.ts'
import { type Client, requestFields, responseFields } from '../../../../plugins/engine/embedded/fields.ts'
import { frameHead, frameType } from '../../../../plugins/engine/embedded/h2/codes.ts'
import { Decoder } from '../../../../plugins/engine/embedded/h2/decoder.ts'
import { type FrameSink, Frames } from '../../../../plugins/engine/embedded/h2/frames.ts'
import { readHead } from '../../../../plugins/engine/embedded/h2/head.ts'
import { record } from '../../../../plugins/engine/embedded/request-head.ts'
import { BadResponse, ResponseReader } from '../../../../plugins/engine/embedded/response-reader.ts'
import { checkRequest, mayUpgrade } from '../../../../plugins/engine/embedded/target.ts'
import { expectLinearCost } from '../../../linear-cost.ts'
import { unlimitedBuffers } from './unlimited-buffers.ts'

const client: Client = {
  address: '192.0.2.1',
  secure: true,
  port: '443',
  trusted: false,
  serverName: 'a.test',
  buffers: unlimitedBuffers(),
}
const nothing = () => undefined
const fieldsOf = (count: number, name: (at: number) => string, value = 'x') =>
  Array.from({ length: count }, (_, at) => [name(at), value]).flat()

/** Has a reader of responses read these bytes in pieces of this size, as far as it takes them. */
const readResponse = (bytes: Buffer, piece: number) => {
  const sink = { info: nothing, head: nothing, data: nothing, done: nothing, upgraded: nothing }
  const reader = new ResponseReader(sink)
  reader.expect(false, false)
  try {
    for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece))
  } catch (error) {
    if (!(error instanceof BadResponse)) throw error
  }
}
/** A response whose head, or body, takes about this many bytes. */
const responses: Readonly<Record<string, (size: number) => string>> = {
  'one long field': (size) => `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(size)}\r\nContent-Length: 0\r\n\r\n`,
  'many short fields': (size) => `HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(size / 4)}Content-Length: 0\r\n\r\n`,
  'carriage returns and line feeds that end nothing': (size) => `HTTP/1.1 200 OK\r\nX: ${'\r\n \r'.repeat(size / 4)}\r\n\r\n`,
  'a length that is repeated': (size) => `HTTP/1.1 200 OK\r\n${'Content-Length: 0\r\n'.repeat(size / 19)}\r\n`,
  'lengths beside a transfer coding': (size) =>
    `HTTP/1.1 200 OK\r\n${'Content-Length: 0\r\n'.repeat(size / 19)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'many transfer codings': (size) => `HTTP/1.1 200 OK\r\n${'Transfer-Encoding: a\r\n'.repeat(size / 22)}\r\n`,
  'blanks around a value': (size) => `HTTP/1.1 200 OK\r\nX: ${' \t'.repeat(size / 4)}a${' \t'.repeat(size / 4)}\r\n\r\n`,
  'a long reason': (size) => `HTTP/1.1 200 ${'a'.repeat(size)}\r\n\r\n`,
  'chunks of one byte': (size) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(size / 6)}0\r\n\r\n`,
  'a chunk extension without end': (size) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1${' ;'.repeat(size / 2)}\r\n`,
  'interim responses': (size) => `${'HTTP/1.1 103 \r\nLink: <x>;a=b"\r\n\r\n'.repeat(size / 34)}HTTP/1.1 204 \r\n\r\n`,
}

describe('what a backend answers costs as much as it has bytes', () => {
  describe.each([['byte by byte', 1, 7_500] as const, ['at once', 1_000_000, 7_500] as const])('%s:', (_how, piece, size) => {
    test.each(Object.entries(responses))('%s', (_what, response) => {
      expectLinearCost((bytes) => readResponse(Buffer.from(response(bytes)), piece), size)
    })
  })

  test('fields that Connection lists', () => {
    expectLinearCost((count) => void responseFields([...fieldsOf(count, () => 'a'), 'Connection', 'a, b'], 200), 4_000)
  })
})

describe('what a client asks costs as much as it has bytes', () => {
  const shapes: Readonly<Record<string, (count: number) => string[]>> = {
    'fields that Connection lists': (count) => [...fieldsOf(count, () => 'a'), 'Connection', 'a'],
    'Connection fields': (count) => fieldsOf(count, () => 'Connection', 'a, b'),
    'a Connection field that lists many': (count) => ['Connection', ',a , '.repeat(count)],
    'Cookie fields': (count) => fieldsOf(count, () => 'cookie', 'a=1'),
    'fields of the client about itself': (count) => fieldsOf(count, () => 'X-Forwarded-For', '192.0.2.9'),
    'spellings of them': (count) => fieldsOf(count, (at) => `X_Forwarded-${'_'.repeat(at % 7)}${at}`),
    'fields of one name': (count) => fieldsOf(count, () => 'X-A'),
    'fields of many names': (count) => fieldsOf(count, (at) => `X-${at}`),
    'codings in Upgrade': (count) => ['Upgrade', ',\t '.repeat(count)],
  }
  test.each(Object.entries(shapes))('%s', (_what, shape) => {
    expectLinearCost((count) => {
      const fields = shape(count)
      checkRequest('GET', '/', '1.1', ['Host', 'a.test', ...fields])
      mayUpgrade('GET', '1.1', fields)
      record(requestFields(fields, 'a.test', client))
      record(requestFields(fields, 'a.test', { ...client, trusted: true }))
    }, 4_000)
  })

  test.each([
    ['a path', (size: number) => `/${'a?'.repeat(size)}`],
    ['a URL', (size: number) => `https://${'a.'.repeat(size)}/`],
    ['a URL of slashes', (size: number) => `http:${'/'.repeat(size)}`],
  ])('%s', (_what, url) => {
    expectLinearCost((size) => void checkRequest('GET', url(size), '1.1', ['Host', 'a.test']), 50_000)
  })

  test('a head of HTTP/2 that names one small entry of the table again and again', () => {
    const base = Buffer.from([0x82, 0x87, 0x84, 0x40, 1, 0x61, 0])
    expectLinearCost((size) => {
      const raw = new Decoder().decode(Buffer.concat([base, Buffer.alloc(size, 0xbe)]), Number.MAX_SAFE_INTEGER)
      readHead(raw ?? [])
    }, 10_000)
  })

  test('a head of HTTP/2 that puts small entries into a full table', () => {
    const entry = Buffer.from([0x40, 1, 0x61, 0])
    expectLinearCost((count) => {
      new Decoder().decode(Buffer.concat(Array.from({ length: count }, () => entry)), 32_768)
    }, 10_000)
  })

  const sink: FrameSink = {
    data: nothing,
    headers: nothing,
    priority: nothing,
    cancelled: nothing,
    settings: nothing,
    ping: nothing,
    goaway: nothing,
    window: nothing,
    unknown: nothing,
    late: nothing,
  }
  test.each([
    ['frames', 1],
    ['frames', 7],
  ])('%s of HTTP/2 in pieces of %i bytes', (_what, piece) => {
    expectLinearCost((size) => {
      const frames = new Frames(sink, 32_768, 60_000)
      const settings = frameHead(0, frameType.settings, 0, 0)
      const data = Buffer.concat([frameHead(size, frameType.data, 0, 1), Buffer.alloc(size)])
      const bytes = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings, data])
      for (let at = 0; at < bytes.length; at += piece) frames.push(bytes.subarray(at, at + piece))
    }, 2_000)
  })
})

describe('what stands before a request costs as much as it has bytes', () => {
  /** A ClientHello that is never complete, in records of this size. */
  const hello = (size: number, inRecord: number) => {
    const message = Buffer.concat([Buffer.from([1, 0, 0x7f, 0xf0]), Buffer.alloc(size)])
    const records: Buffer[] = []
    for (let at = 0; at < message.length; at += inRecord) {
      const part = message.subarray(at, at + inRecord)
      records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
    }
    return Buffer.concat(records)
  }
  test.each([
    ['a ClientHello in records of one byte, byte by byte', 600, 1, 1],
    ['a ClientHello in records of one byte, in packets', 600, 1, 1_400],
    ['a ClientHello in one record, byte by byte', 2_000, 16_384, 1],
    ['a ClientHello in one record, in odd pieces', 2_000, 16_384, 3],
  ])('%s', (_what, size, inRecord, piece) => {
    expectLinearCost((bytes) => {
      const reader = new ClientHelloReader()
      const all = hello(bytes, inRecord)
      for (let at = 0; at < all.length; at += piece) reader.push(all.subarray(at, at + piece))
    }, size)
  })

  test('PROXY headers that have not come as a whole', () => {
    const v1 = Buffer.from(`PROXY TCP4 ${'1'.repeat(90)}`)
    const v2 = Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\x0f\x00', 'latin1'), Buffer.alloc(3_000)])
    expectLinearCost((count) => {
      for (let round = 0; round < count; round++) for (const header of [v1, v2]) readProxyHeader(header)
    }, 2_000)
  })
})
