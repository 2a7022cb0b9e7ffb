import { byteName, controls, host, list, type Payload, smuggled, whole } from './payload.ts'

const head = `POST /at0000end HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`
const end = '0\r\n\r\n'
const sizes = [
  'zz',
  '+3',
  '-3',
  '0x3',
  '3h',
  '3 3',
  '3,',
  '3.0',
  '3_',
  '\x0b3',
  '3\x0b',
  '3\0',
  '\x003',
  '3\x0c',
  '3\u00a0',
  '',
  ' ',
  ';',
  ';a=b',
  '10000000000000003',
  'fffffffffffffffff',
  '-0',
  '3\r',
  '\n3',
  '0 0',
  '3"',
  "'3'",
  'G',
  'three',
  '3\x7f',
  '3\x85',
]
const size = '3\r\nabc\r\n'

/** Bodies in chunks (RFC 9112 section 7.1). */
export const chunks: readonly Payload[] = [
  ...list(
    'sizes that are none',
    'refused',
    sizes.map((text): [string, string] => [JSON.stringify(text), `${head}${text}\r\nabc\r\n${end}${whole}`]),
  ),
  ...list(
    'sizes that are none, of a later chunk',
    'refused',
    sizes.map((text): [string, string] => [JSON.stringify(text), `${head}${size}${text}\r\nabc\r\n${end}${whole}`]),
  ),
  ...list('chunks that do not end', 'refused', {
    'longer than their size': `${head}3\r\nabcdef\r\n${end}${whole}`,
    'shorter than their size': `${head}5\r\nabc\r\n${end}${whole}`,
    'without CRLF': `${head}3\r\nabc0\r\n\r\n${whole}`,
    'with LF': `${head}3\r\nabc\n${end}${whole}`,
    'with CR': `${head}3\r\nabc\r${end}${whole}`,
    'with LF CR': `${head}3\r\nabc\n\r${end}${whole}`,
    'with other bytes': `${head}3\r\nabcXX${end}${whole}`,
    'with a blank line more': `${head}3\r\nabc\r\n\r\n${end}${whole}`,
  }),
  ...list('line ends of sizes', 'refused', {
    LF: `${head}3\nabc\r\n${end}${whole}`,
    CR: `${head}3\rabc\r\n${end}${whole}`,
    'CR CR LF': `${head}3\r\r\nabc\r\n${end}${whole}`,
    'LF of the last': `${head}${size}0\n\n${smuggled}`,
    'CR of the last': `${head}${size}0\r\r${smuggled}`,
    'LF in the last line': `${head}${size}0\r\n\n${smuggled}`,
    'LF behind the last size': `${head}${size}0\n\r\n${smuggled}`,
  }),
  // Bytes within an extension that a parser may take for its end.
  ...list('extensions', 'refused', [
    ...controls
      .filter((code) => code !== 9 && code !== 13)
      .map((code): [string, string] => [byteName(code), `${head}3;a=${String.fromCharCode(code)}b\r\nabc\r\n${end}${whole}`]),
    ['a bare LF at their end', `${head}3;a=b\nabc\r\n${end}${whole}`],
    ['a bare LF, of the last', `${head}${size}0;a\n\r\n${smuggled}`],
    ['a bare CR', `${head}3;a=\rb\r\nabc\r\n${end}${whole}`],
    ['a quoted line end', `${head}3;a="\r\nabc\r\n${end}"\r\n${end}${whole}`],
    ['longer than 16 KiB', `${head}3;${'a'.repeat(40_000)}\r\nabc\r\n${end}${whole}`],
  ]),
  ...list('extensions that are fine', 'either', {
    plain: `${head}3;a=b\r\nabc\r\n${end}`,
    quoted: `${head}3;a="b c"\r\nabc\r\n${end}`,
    'without a value': `${head}3;a\r\nabc\r\n${end}`,
    'two of them': `${head}3;a=b;c=d\r\nabc\r\n${end}`,
    'blanks around': `${head}3 ; a = b\r\nabc\r\n${end}`,
    'of the last': `${head}${size}0;a=b\r\n\r\n`,
  }),
  ...list('sizes that are fine', 'one', {
    'upper case': `${head}A\r\n0123456789\r\n${end}`,
    'lower case': `${head}a\r\n0123456789\r\n${end}`,
    'leading zeros': `${head}0003\r\nabc\r\n000\r\n\r\n`,
    'many chunks': `${head}${'1\r\na\r\n'.repeat(500)}${end}`,
    'one that looks like a request': `${head}${whole.length.toString(16)}\r\n${whole}\r\n${end}`,
    'one that looks like the end': `${head}5\r\n${end}\r\n${end}`,
  }),
  ...list('trailers that are none', 'refused', {
    'a blank in a name': `${head}${size}0\r\nX A: 1\r\n\r\n${whole}`,
    'a blank before the colon': `${head}${size}0\r\nX-A : 1\r\n\r\n${whole}`,
    'no colon': `${head}${size}0\r\nX-A\r\n\r\n${whole}`,
    'no name': `${head}${size}0\r\n: 1\r\n\r\n${whole}`,
    'a NUL in a value': `${head}${size}0\r\nX-A: \0\r\n\r\n${whole}`,
    'a bare CR in a value': `${head}${size}0\r\nX-A: a\rb\r\n\r\n${whole}`,
    'a bare LF': `${head}${size}0\r\nX-A: a\nX-B: b\r\n\r\n${whole}`,
    'a request': `${head}${size}0\r\nGET /smuggled HTTP/1.1\r\n\r\n${whole}`,
    'a folded line': `${head}${size}0\r\nX-A: a\r\n b\r\n\r\n${whole}`,
  }),
  // Fields that mean something in a head only: none may come to mean it (RFC 9110 section 6.5.1).
  ...list(
    'trailers that belong in a head',
    'either',
    [
      'Content-Length: 50',
      'Transfer-Encoding: chunked',
      'Host: b.test',
      'X-Forwarded-For: 1.2.3.4',
      'Connection: close',
      'Authorization: x',
      'Upgrade: h2c',
    ].map((line): [string, string] => [line, `${head}${size}0\r\n${line}\r\n\r\n`]),
  ),
]
