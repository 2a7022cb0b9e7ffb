import { head, host, list, type Payload, smuggled, whole } from './payload.ts'

const chunked = 'Transfer-Encoding: chunked'
const body = `0\r\n\r\n${smuggled}`
const length = `Content-Length: ${body.length}`

const badLengths = [
  '+5',
  '-5',
  '-0',
  '+0',
  '0x5',
  '0o5',
  '5e0',
  '5.0',
  '5 5',
  '5,6',
  '5, 6',
  '5;6',
  '"5"',
  "'5'",
  '5\t6',
  '5_0',
  '٥',
  '٥5',
  'five',
  '',
  ' ',
  ',',
  '5,',
  ',5',
  '18446744073709551621',
  '9223372036854775813',
  '4294967301x',
  '5\x0b',
  '\x0c5',
  '5\0',
  '\u00a05',
]

/** Spellings of the coding that some servers take for chunked. */
const codings = [
  'xchunked',
  'chunkedx',
  'chunked, identity',
  'identity, chunked',
  'identity',
  'gzip',
  'gzip, chunked',
  'chunked, chunked',
  'chunked chunked',
  'chunked;',
  'chunked;q=1',
  '"chunked"',
  "'chunked'",
  'chunk',
  'chunke\td',
  'chunked\x0b',
  '\x0bchunked',
  '\x0cchunked',
  'chunked\0',
  '\0chunked',
  'c\u0068unked\x1f',
  ',chunked',
  'chunked,',
  ', chunked',
  'cow',
  'chunked\u00a0',
  '\u00a0chunked',
  'chun\u212aed'.replace('\u212a', '\xe2\x84\xaa'),
  'deflate',
  'compress, chunked',
  '',
]
/** Spellings of the field's name that some servers take for it. */
const names = [
  'Transfer-Encoding ',
  'Transfer-Encoding\t',
  ' Transfer-Encoding',
  '\tTransfer-Encoding',
  'Transfer\tEncoding',
  'Transfer Encoding',
  'Transfer-Encoding\x0b',
  '\x0bTransfer-Encoding',
  'Transfer-Encoding\0',
  '\0Transfer-Encoding',
  'X: y\rTransfer-Encoding',
  '\u00a0Transfer-Encoding',
  'Transfer-Encoding\x7f',
  '(Transfer-Encoding',
  'Transfer-Encoding:',
  ':Transfer-Encoding',
  '',
]
/** Other names altogether: fields like any, which say nothing of the length. */
const others = [
  'Transfer_Encoding',
  'Transfer-Encodin',
  'X-Transfer-Encoding',
  'Transfer--Encoding',
  'TransferEncoding',
  'TE',
  'Content_Length',
  'Content-Lengths',
]

/** Where a message ends, said in two ways (RFC 9112 section 6). */
export const lengths: readonly Payload[] = [
  ...list('CL.TE and TE.CL', 'refused', {
    'CL, TE': head(length, chunked) + body,
    'TE, CL': head(chunked, length) + body,
    'TE, CL 4': head(chunked, 'Content-Length: 4') + `5c\r\n${whole}\r\n0\r\n\r\n`,
    'CL 0, TE': head('Content-Length: 0', chunked) + body,
    'TE, CL 0': head(chunked, 'Content-Length: 0') + body,
    'TE, fields, CL': head(chunked, 'X-A: 1', 'X-B: 2', length) + body,
    'te, cl in lower case': head('transfer-encoding: chunked', length.toLowerCase()) + body,
    'TE twice, CL': head(chunked, chunked, length) + body,
    'TE as CHUNKED, CL': head('Transfer-Encoding: CHUNKED', length) + body,
    'CL that is none, TE': head('Content-Length: x', chunked) + body,
  }),
  ...list(
    'CL.TE and TE.CL',
    'refused',
    badLengths.slice(0, 12).map((text) => [`TE, CL ${JSON.stringify(text)}`, head(chunked, `Content-Length: ${text}`) + body]),
  ),
  ...list('several lengths', 'refused', {
    'two that differ': head('Content-Length: 5', 'Content-Length: 6') + `abcdef${whole}`,
    'two that differ, apart': head('Content-Length: 5', 'X-A: 1', 'Content-Length: 0') + whole,
    'three, the last differs': head('Content-Length: 0', 'Content-Length: 0', `Content-Length: ${whole.length}`) + whole,
    'one in lower case': head('Content-Length: 0', `content-length: ${whole.length}`) + whole,
  }),
  ...list(
    'lengths that are none',
    'refused',
    badLengths.map((text) => [JSON.stringify(text), head(`Content-Length: ${text}`) + `abcde${whole}`]),
  ),
  ...list(
    'codings that are none',
    'refused',
    codings.map((text) => [JSON.stringify(text), head(`Transfer-Encoding: ${text}`) + body]),
  ),
  ...list(
    'codings that are none, beside CL',
    'refused',
    codings.map((text) => [JSON.stringify(text), head(length, `Transfer-Encoding: ${text}`) + body]),
  ),
  ...list(
    'names that are none',
    'refused',
    names.map((name) => [JSON.stringify(name), head(length, `${name}: chunked`) + body]),
  ),
  ...list(
    'names that are none, without CL',
    'refused',
    names.map((name) => [JSON.stringify(name), head(`${name}: chunked`) + body]),
  ),
  ...list(
    'other names',
    'one',
    others.map((name) => [JSON.stringify(name), head(length, `${name}: chunked`) + body]),
  ),
  ...list(
    'blanks around values',
    'one',
    ['  5', '\t5', '5 ', '5\t ', '05', '0005'].map((text) => [JSON.stringify(text), `${head(`Content-Length: ${text}`)}abcde`]),
  ),
  ...list('two codings', 'refused', {
    'chunked, then identity': head(chunked, 'Transfer-Encoding: identity') + body,
    'identity, then chunked': head('Transfer-Encoding: identity', chunked) + body,
    'chunked twice': head(chunked, chunked) + body,
    'chunked, then nothing': head(chunked, 'Transfer-Encoding:') + body,
    'chunked, then cow': head(chunked, 'Transfer-Encoding: cow') + body,
    'chunked, then x in lower case': head(chunked, 'transfer-encoding: x') + body,
  }),
  ...list('older versions', 'refused', {
    'HTTP/1.0 with TE': `POST /at0000end HTTP/1.0\r\nHost: ${host}\r\n${chunked}\r\n\r\n${body}`,
    'HTTP/1.0 with TE and CL': `POST /at0000end HTTP/1.0\r\nHost: ${host}\r\n${chunked}\r\n${length}\r\n\r\n${body}`,
    'HTTP/1.0 with TE, kept alive': `POST /at0000end HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n${chunked}\r\n\r\n${body}`,
    'HTTP/1.0 with a coding that is none': `POST /at0000end HTTP/1.0\r\nHost: ${host}\r\nTransfer-Encoding: identity\r\n${length}\r\n\r\n${body}`,
    ...Object.fromEntries(
      ['0.9', '0.1', '1.2', '1.9', '2.0', '3.0', '11.1', '1.11', '1.', '.1', '1', '-1.1', '1.1x', '01.1', '1,1'].map(
        (version) => [`HTTP/${version}`, `GET /at0000end HTTP/${version}\r\nHost: ${host}\r\n\r\n${smuggled}`],
      ),
    ),
    'no version': `GET /at0000end\r\nHost: ${host}\r\n\r\n`,
    'http in lower case': `GET /at0000end http/1.1\r\nHost: ${host}\r\n\r\n`,
    'another protocol': `GET /at0000end HTTPS/1.1\r\nHost: ${host}\r\n\r\n`,
    ICE: `GET /at0000end ICE/1.0\r\nHost: ${host}\r\n\r\n`,
  }),
  // Node's parser knows it, and does not say so; it goes on as a request of HTTP/1.1.
  ...list('RTSP', 'either', {
    RTSP: `GET /at0000end RTSP/1.0\r\nHost: ${host}\r\n\r\n`,
  }),
  // The body of a method that has none elsewhere: it is a body all the same.
  ...list(
    'CL.0',
    'one',
    ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND'].map((method) => [
      method,
      `${method} /at0000end HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${whole.length}\r\n\r\n${whole}`,
    ]),
  ),
  ...list(
    'TE.0',
    'one',
    ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT'].map((method) => [
      method,
      `${method} /at0000end HTTP/1.1\r\nHost: ${host}\r\n${chunked}\r\n\r\n${whole.length.toString(16)}\r\n${whole}\r\n0\r\n\r\n`,
    ]),
  ),
]
