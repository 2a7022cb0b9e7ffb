import { host, list, type Payload, smuggled, whole } from './payload.ts'

const request = (line: string, ...fields: readonly string[]) =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`
const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
]
const others = ['h2c', 'H2C', 'h2', 'h2c, websocket', 'websocket, h2c', ' h2c', 'h2c ', '"h2c"']

/** Requests that would make a tunnel of the connection, or that wait for a word before their body. */
export const upgrades: readonly Payload[] = [
  ...list(
    'upgrades to HTTP/2',
    'refused',
    others.slice(0, 7).flatMap((name): [string, string][] => [
      [
        JSON.stringify(name),
        request(
          'GET /at0000end',
          'Connection: Upgrade, HTTP2-Settings',
          `Upgrade: ${name}`,
          'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
        ) + smuggled,
      ],
      [`${JSON.stringify(name)}, not listed in Connection`, request('GET /at0000end', `Upgrade: ${name}`) + smuggled],
    ]),
  ),
  ...list('upgrades that the backend does not take', 'either', {
    'a WebSocket': request('GET /at0000end', ...upgrade),
    'a WebSocket, and a request behind it': request('GET /at0000end', ...upgrade) + smuggled,
    'TLS/1.0': request('GET /at0000end', 'Connection: Upgrade', 'Upgrade: TLS/1.0') + smuggled,
    'any word': request('GET /at0000end', 'Connection: Upgrade', 'Upgrade: foo') + smuggled,
    'any word, not listed in Connection': request('GET /at0000end', 'Upgrade: foo'),
  }),
  ...list('upgrades with a body', 'either', {
    'of a length': request('GET /at0000end', ...upgrade, `Content-Length: ${whole.length}`) + whole,
    'in chunks':
      request('GET /at0000end', ...upgrade, 'Transfer-Encoding: chunked') +
      `${whole.length.toString(16)}\r\n${whole}\r\n0\r\n\r\n`,
    'by POST': request('POST /at0000end', ...upgrade, `Content-Length: ${whole.length}`) + whole,
    'by POST, without one': request('POST /at0000end', ...upgrade),
  }),
  ...list('upgrades of HTTP/1.0', 'either', {
    'a WebSocket': `GET /at0000end HTTP/1.0\r\nHost: ${host}\r\n${upgrade.join('\r\n')}\r\n\r\n`,
  }),
  ...list(
    'expectations',
    'either',
    Object.fromEntries(
      ['100-continue', '100-Continue', 'x', '', '100-continue, 100-continue', 'y 100-continue', '200-ok', '100-continue;x'].map(
        (text) => [JSON.stringify(text), request('POST /at0000end', `Expect: ${text}`, 'Content-Length: 5') + 'abcde'],
      ),
    ),
  ),
  ...list('expectations', 'either', {
    'without a body': request('GET /at0000end', 'Expect: 100-continue'),
    'in chunks': request('POST /at0000end', 'Expect: 100-continue', 'Transfer-Encoding: chunked') + `5\r\nabcde\r\n0\r\n\r\n`,
    twice: request('POST /at0000end', 'Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 5') + 'abcde',
  }),
  ...list(
    'what Connection lists',
    'one',
    Object.fromEntries(
      [
        'Content-Length',
        'Host',
        'Cookie',
        'Authorization',
        'X-Forwarded-For',
        'close, Content-Length',
        'keep-alive, Host',
        ':',
        '{',
        ', ,',
      ].map((text) => [text, request('POST /at0000end', `Connection: ${text}`, 'Content-Length: 5', 'Cookie: a=b') + 'abcde']),
    ),
  ),
]
