import { byteName, controls, head, host, list, type Payload, smuggled, whole } from './payload.ts'

const chunked = 'Transfer-Encoding: chunked'
const get = (...lines: readonly string[]) => `GET /at0000end HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
const hostLine = `Host: ${host}`
const separators = [...'(),/;<=>?@[\\]{}"']
const text = (code: number) => String.fromCharCode(code)

const ends = { LF: '\n', CR: '\r', 'CR CR LF': '\r\r\n', 'LF CR': '\n\r', 'NUL LF': '\0\n', VT: '\x0b', FF: '\x0c' }

/** What a line is, and a name, and a value (RFC 9112 sections 2 to 5). */
export const lines: readonly Payload[] = [
  ...Object.entries(ends).flatMap(([name, end]) => [
    ...list('line ends', 'refused', {
      [`${name} behind the request line`]: `GET /at0000end HTTP/1.1${end}${hostLine}\r\nX-A: 1\r\n\r\n`,
      [`${name} before a length`]: `POST /at0000end HTTP/1.1\r\n${hostLine}\r\nX-A: 1${end}Content-Length: ${whole.length}\r\n\r\n${whole}`,
      [`${name} before a coding`]: `POST /at0000end HTTP/1.1\r\n${hostLine}\r\nContent-Length: 5\r\nX-A: 1${end}${chunked}\r\n\r\n0\r\n\r\n${smuggled}`,
      [`${name} for the empty line`]: `GET /at0000end HTTP/1.1\r\n${hostLine}\r\nX-A: 1${end}${end}${whole}`,
    }),
  ]),
  ...list(
    'folded lines',
    'refused',
    [' ', '\t', '  \t'].flatMap((fold): [string, string][] => [
      [`a coding, ${JSON.stringify(fold)}`, head(`Transfer-Encoding:\r\n${fold}chunked`) + `0\r\n\r\n${smuggled}`],
      [
        `a coding beside CL, ${JSON.stringify(fold)}`,
        head('Content-Length: 5', `Transfer-Encoding:\r\n${fold}chunked`) + `0\r\n\r\n${smuggled}`,
      ],
      [`a length, ${JSON.stringify(fold)}`, head(`Content-Length:\r\n${fold}5`) + `abcde${whole}`],
      [`a length, continued, ${JSON.stringify(fold)}`, head(`Content-Length: 5\r\n${fold}0`) + `abcde${whole}`],
      [`the host, ${JSON.stringify(fold)}`, get(`Host:\r\n${fold}${host}`)],
      [`any, ${JSON.stringify(fold)}`, get(hostLine, `X-A: 1\r\n${fold}Transfer-Encoding: chunked`)],
      [`the first, ${JSON.stringify(fold)}`, `GET /at0000end HTTP/1.1\r\n${fold}X-A: 1\r\n${hostLine}\r\n\r\n`],
    ]),
  ),
  ...list(
    'bytes in names',
    'refused',
    [...controls.filter((code) => code !== 10), ...separators.map((at) => at.charCodeAt(0)), 32, 160, 255].map(
      (code): [string, string] => [byteName(code), get(hostLine, `X-${text(code)}A: 1`)],
    ),
  ),
  ...list(
    'bytes in values',
    'refused',
    controls
      .filter((code) => code !== 9)
      .map((code): [string, string] => [byteName(code), get(hostLine, `X-A: 1${text(code)}2`)]),
  ),
  ...list(
    'bytes in values that are fine',
    'one',
    [9, 128, 160, 255].map((code): [string, string] => [byteName(code), get(hostLine, `X-A: 1${text(code)}2`)]),
  ),
  ...list('lines that are none', 'refused', {
    'no colon': get(hostLine, 'X-A 1'),
    'no name': get(hostLine, ': 1'),
    'a colon alone': get(hostLine, ':'),
    'a request line among them': get(hostLine, 'GET /smuggled HTTP/1.1'),
    'a status line': get(hostLine, 'HTTP/1.1 200 OK'),
    'no host at all': get('X-A: 1'),
    'nothing at all': 'GET /at0000end HTTP/1.1\r\n\r\n',
  }),
  ...list(
    'hosts',
    'refused',
    Object.fromEntries([
      ['two', get(hostLine, 'Host: b.test')],
      ['the same twice', get(hostLine, hostLine)],
      ['two, the first of another', get('Host: b.test', hostLine)],
      ['two, one in lower case', get(hostLine, 'host: b.test')],
      ['two, one empty', get(hostLine, 'Host:')],
      ...[
        '',
        ' ',
        'a.test, b.test',
        'a.test b.test',
        'a.test/x',
        'a.test?x',
        'a.test#x',
        'x@a.test',
        'a.test@b.test',
        'a.test:x',
        'a.test:80x',
        'a.test:-1',
        'a.test:+80',
        'a.test:080808',
        'a.test:80:80',
        ':80',
        '[::1',
        '::1]',
        '[a.test]',
        'a.test\\b.test',
        'a%2etest',
        'a.test%00',
        '"a.test"',
        '<a.test>',
        'a.test;b.test',
        'a.test\tb.test',
        'http://a.test',
        '//a.test',
        'a.test\x7f',
        '\xe1.test',
        `${'a'.repeat(300)}.test`,
      ].map((name) => [JSON.stringify(name).slice(0, 40), get(`Host: ${name}`)]),
    ]),
  ),
  ...list(
    'other hosts',
    'refused',
    Object.fromEntries(
      [
        'b.test',
        'a.test.b.test',
        'b.a.test',
        'test',
        'a',
        '127.0.0.1',
        '[::1]',
        'localhost',
        'a_test',
        'a..test',
        '.a.test',
        '-a.test',
        'a.test..',
      ].map((name) => [name, get(`Host: ${name}`)]),
    ),
  ),
  ...list(
    'spellings of the host',
    'one',
    Object.fromEntries(
      ['A.TEST', 'a.test.', 'a.test:443', 'a.test:8443', ' a.test', 'a.test '].map((name) => [
        JSON.stringify(name),
        get(`Host: ${name}`),
      ]),
    ),
  ),
  ...list(
    'request lines',
    'refused',
    Object.fromEntries([
      ...[
        'GET\t/at0000end HTTP/1.1',

        'GET /at0000end\tHTTP/1.1',
        'GET /at0000end HTTP/1.1 ',
        'GET /at0000end HTTP/1.1\t',
        ' GET /at0000end HTTP/1.1',
        '\tGET /at0000end HTTP/1.1',
        'GET /at0000end HTTP/ 1.1',
        'GET /at0000end HTTP /1.1',
        'GET /at0000end x HTTP/1.1',
        'GET /at0000end HTTP/1.1 HTTP/1.1',
        'GET\0 /at0000end HTTP/1.1',
        'G\x01ET /at0000end HTTP/1.1',
        'GE(T /at0000end HTTP/1.1',
        'GET: /at0000end HTTP/1.1',
        'GET,POST /at0000end HTTP/1.1',
        '"GET" /at0000end HTTP/1.1',
        '/at0000end HTTP/1.1',
        'GET',
        'GET HTTP/1.1',
        'GET * HTTP/1.1',
        'GET a.test/at0000end HTTP/1.1',
        'GET ?/at0000end HTTP/1.1',
        'GET http://at0000end HTTP/1.1',
        'GET http://b.test/at0000end HTTP/1.1',
        'GET https://b.test/at0000end HTTP/1.1',
        'GET http://x@a.test/at0000end HTTP/1.1',
        'GET http://a.test@b.test/at0000end HTTP/1.1',
        'GET http://a.test:80:80/at0000end HTTP/1.1',
        'GET http:///at0000end HTTP/1.1',
        'GET ftp://a.test/at0000end HTTP/1.1',
        'GET file:///at0000end HTTP/1.1',
        'GET http://a.test\\@b.test/at0000end HTTP/1.1',
        'GET a.test:443 HTTP/1.1',
        'GET http:\\\\a.test/at0000end HTTP/1.1',
        'get-/at0000end HTTP/1.1',
        'PRI * HTTP/2.0',
      ].map((line) => [JSON.stringify(line), `${line}\r\n${hostLine}\r\n\r\n`]),
    ]),
  ),
  // RFC 9112 section 3 lets a server read over blanks; what goes on has one of each.
  ...list('blanks in request lines', 'either', {
    'two before the target': `GET  /at0000end HTTP/1.1\r\n${hostLine}\r\n\r\n`,
    'two behind it': `GET /at0000end  HTTP/1.1\r\n${hostLine}\r\n\r\n`,
  }),
  ...list(
    'CONNECT, TRACE',
    'refused',
    Object.fromEntries([
      ...[
        'CONNECT a.test:443',
        'CONNECT b.test:22',
        'CONNECT /at0000end',
        'CONNECT 127.0.0.1:22',
        'CONNECT http://a.test/at0000end',
        'TRACE /at0000end',
        'TRACE *',
        'TRACE http://a.test/at0000end',
        'TRACK /at0000end'.replace('TRACK', 'TRACE'),
      ].map((line) => [line, `${line} HTTP/1.1\r\n${hostLine}\r\n\r\n${smuggled}`]),
      [
        'CONNECT with a length',
        `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nContent-Length: ${whole.length}\r\n\r\n${whole}`,
      ],
      ['CONNECT with a coding', `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n${chunked}\r\n\r\n0\r\n\r\n${whole}`],
      ['TRACE with a length', `TRACE /at0000end HTTP/1.1\r\n${hostLine}\r\nContent-Length: 5\r\n\r\nabcde`],
    ]),
  ),
]
