import { byteName, controls, type Payload, smuggled, whole } from './payload.ts'

type Fields = readonly (readonly [name: string, value: string])[]

/** A request over HTTP/2, as fields and a body. */
export interface StreamPayload {
  readonly group: string
  readonly name: string
  readonly fields: Fields
  readonly body?: string
  readonly has: Payload['has']
}

const get: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', '/at0000end'],
]
const post: Fields = [[':method', 'POST'], ...get.slice(1)]
const but = (name: string, value: string, fields: Fields = get): Fields =>
  fields.map((field) => (field[0] === name ? [name, value] : field))
const without = (name: string): Fields => get.filter(([own]) => own !== name)
const refused = (
  group: string,
  all: readonly (readonly [name: string, fields: Fields, body?: string])[],
  has: Payload['has'] = 'refused',
): StreamPayload[] => all.map(([name, fields, body]) => ({ group, name, fields, has, ...(body !== undefined && { body }) }))

const text = (code: number) => String.fromCharCode(code)
const breaks = ['\r\n', '\n', '\r', '\0', '\r\n\r\n']

/** What HTTP/2 carries as data and HTTP/1.1 would read as lines (RFC 9113 sections 8.1.1, 8.2 and 10.3). */
export const streams: readonly StreamPayload[] = [
  ...refused(
    'H2.CL',
    ['0', '1', '5', '1000', '+2', '-1', '0x2', '2,2', '2, 2', '', ' 2', '2 ', 'x', '18446744073709551618'].map((length) => [
      JSON.stringify(length),
      [...post, ['content-length', length]],
      whole.slice(0, 44),
    ]),
  ),
  ...refused('H2.CL', [
    ['two', [...post, ['content-length', '2'], ['content-length', '44']], whole],
    ['two that are equal', [...post, ['content-length', '2'], ['content-length', '2']], 'abc'],
    ['with no body', [...get, ['content-length', '5']]],
  ]),
  ...refused(
    'H2.TE',
    ['chunked', 'Chunked', 'identity', 'gzip', '', 'x', 'chunked, chunked'].map((coding) => [
      JSON.stringify(coding),
      [...post, ['transfer-encoding', coding]],
      `0\r\n\r\n${smuggled}`,
    ]),
  ),
  ...refused('H2.TE', [['with a length', [...post, ['transfer-encoding', 'chunked'], ['content-length', '5']], '0\r\n\r\n']]),
  ...refused(
    'fields of a connection',
    [
      ['connection', 'close'],
      ['connection', 'x-a'],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'keep-alive'],
      ['upgrade', 'websocket'],
      ['upgrade', 'h2c'],
      ['te', 'gzip'],
      ['te', 'trailers, chunked'],
    ].map(([name = '', value = '']): [string, Fields] => [`${name}: ${value}`, [...get, [name, value]]]),
  ),
  ...refused(
    'line breaks in values',
    breaks.flatMap((at): [string, Fields][] => [
      [JSON.stringify(at), [...get, ['x-a', `b${at}X-Smuggled: 1`]]],
      [`${JSON.stringify(at)} in a cookie`, [...get, ['cookie', `a=b${at}X-Smuggled: 1`]]],
      [`${JSON.stringify(at)} and a coding`, [...get, ['x-a', `b${at}Transfer-Encoding: chunked`]]],
      [`${JSON.stringify(at)} and a request`, [...get, ['x-a', `b${at}\r\n${smuggled}`]]],
    ]),
  ),
  ...refused(
    'bytes in values',
    controls
      .filter((code) => code !== 9 && code !== 127)
      .map((code): [string, Fields] => [byteName(code), [...get, ['x-a', `b${text(code)}c`]]]),
  ),
  ...refused(
    'bytes in names',
    [...controls, 32, 58, 128, 160, 255, ...[...'(),/;<=>?@[\\]{}"'].map((at) => at.charCodeAt(0))].map(
      (code): [string, Fields] => [byteName(code), [...get, [`x${text(code)}a`, '1']]],
    ),
  ),
  ...refused('names', [
    ...[...'ABCXYZ'].map((letter): [string, Fields] => [`an upper case ${letter}`, [...get, [`x-${letter}`, '1']]]),
    ['none', [...get, ['', '1']]],
    ['a line', [...get, ['x-a: b\r\nx-smuggled', '1']]],
    ['a pseudo-header of an answer', [...get, [':status', '200']]],
    ['a pseudo-header that is none', [...get, [':smuggled', '1']]],
    ['an empty pseudo-header', [...get, [':', '1']]],
  ]),
  ...refused(
    'methods',
    [
      '',
      ' ',
      'GET /smuggled HTTP/1.1\r\nX: ',
      'GET /smuggled',
      ' GET',
      'GET ',
      'GET\t',
      'G\0ET',
      'G,ET',
      'G(ET',
      'GET\r\n',
      'CONNECT',
      'TRACE',
      '\xe9',
    ].map((method): [string, Fields] => [JSON.stringify(method), but(':method', method)]),
  ),
  ...refused(
    'paths',
    [
      '',
      'x',
      '*',
      '?a',
      '#',
      '/ HTTP/1.1\r\nX-Smuggled: 1\r\n\r\n',
      '/a b',
      '/a\tb',
      '/a\0b',
      '/a\r\nb',
      '/a\nb',
      ' /',
      '/ ',
      'http://b.test/',
      '//b.test/ x',
      '\\',
      '/\x7f',
    ].map((path): [string, Fields] => [JSON.stringify(path), but(':path', path)]),
  ),
  ...refused(
    'schemes',
    ['', ' ', 'https://b.test/x?', 'http\r\nX: 1', 'ht tp', 'https:', '\0', '1http'].map((scheme): [string, Fields] => [
      JSON.stringify(scheme),
      but(':scheme', scheme),
    ]),
  ),
  ...refused(
    'authorities',
    [
      '',
      ' ',
      'b.test',
      'a.test/x',
      'x@a.test',
      'a.test@b.test',
      'a.test b.test',
      'a.test\r\nX: 1',
      'a.test,b.test',
      'a.test:x',
      'a.test\0',
      'a.test#',
      'a.test?',
      'a.test\\b',
      '[a.test]',
      'a%2etest',
      '127.0.0.1',
    ].map((name): [string, Fields] => [JSON.stringify(name), but(':authority', name)]),
  ),
  ...refused('two hosts', [
    ['another Host', [...get, ['host', 'b.test']]],
    ['two', [...get, ['host', 'a.test'], ['host', 'b.test']]],
    ['Host of another alone', [...without(':authority'), ['host', 'b.test']]],
    ['an empty one', [...get, ['host', '']]],
    ['neither', without(':authority')],
  ]),
  ...refused('pseudo-headers', [
    ...[':method', ':path', ':scheme'].map((name): [string, Fields] => [`no ${name}`, without(name)]),
    ...get.map(([name, value]): [string, Fields] => [`${name} twice`, [...get, [name, value]]]),
    ...get.map(([name, value]): [string, Fields] => [`${name} last`, [...without(name), ['x-a', '1'], [name, value]]]),
    ['a path twice, another', [...get, [':path', '/smuggled']]],
    ['a method twice, another', [...get, [':method', 'POST']]],
    ['CONNECT with a protocol', [[':method', 'CONNECT'], [':protocol', 'websocket'], ...get.slice(1)]],
    [
      'CONNECT alone',
      [
        [':method', 'CONNECT'],
        [':authority', 'a.test:443'],
      ],
    ],
    ['a protocol', [...get, [':protocol', 'websocket']]],
  ]),
  ...refused(
    'bodies',
    [
      ['that look like a request', post, whole],
      ['of GET', get, whole],
      ['of a length that is right', [...post, ['content-length', '5']], 'abcde'],
    ],
    'one',
  ),
  ...refused(
    'fields that are fine',
    [
      ['te: trailers', [...get, ['te', 'trailers']]],
      ['many cookies', [...get, ['cookie', 'a=b'], ['cookie', 'c=d']]],
      ['the same Host', [...get, ['host', 'a.test']]],
      ['Host alone', [...without(':authority'), ['host', 'a.test']]],
      ['bytes above ASCII', [...get, ['x-a', '\xe9\xff']]],
    ],
    'one',
  ),
]
