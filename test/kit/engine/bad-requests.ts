const head = (...lines: readonly string[]) => `${['POST / HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`
const host = 'Host: a.test'
const chunked = 'Transfer-Encoding: chunked'
const end = '0\r\n\r\n'

/** Heads of requests that RFC 9112 forbids or that servers are known to disagree about. */
export const badHeads: Readonly<Record<string, string>> = {
  'Content-Length and Transfer-Encoding': head(host, 'Content-Length: 5', chunked) + end,
  'Transfer-Encoding and Content-Length': head(host, chunked, 'Content-Length: 5') + end,
  'two lengths': head(host, 'Content-Length: 5', 'Content-Length: 6') + 'abcdef',
  'two lengths in one field': head(host, 'Content-Length: 5, 6') + 'abcdef',
  'a length with a sign': head(host, 'Content-Length: +5') + 'abcde',
  'a negative length': head(host, 'Content-Length: -5') + 'abcde',
  'a hexadecimal length': head(host, 'Content-Length: 0x5') + 'abcde',
  'an empty length': head(host, 'Content-Length:'),
  'a length over 2^64': head(host, 'Content-Length: 18446744073709551621') + 'abcde',
  'a length with a blank in it': head(host, 'Content-Length: 5 5') + 'abcde',
  'an unknown coding': head(host, 'Transfer-Encoding: xchunked') + end,
  'chunked that is not last': head(host, 'Transfer-Encoding: chunked, identity') + end,
  'chunked twice': head(host, 'Transfer-Encoding: chunked, chunked') + end,
  'an empty coding': head(host, 'Transfer-Encoding:'),
  'a coding behind a vertical tab': head(host, 'Transfer-Encoding: \x0bchunked') + end,
  'a quoted coding': head(host, 'Transfer-Encoding: "chunked"') + end,
  'a blank before the colon': head(host, 'Transfer-Encoding : chunked') + end,
  'a tab before the colon': head(host, 'Content-Length\t: 5') + 'abcde',
  'a folded field': head(host, 'Transfer-Encoding:\r\n chunked') + end,
  'a folded field of another kind': head(host, 'X-A: 1\r\n Content-Length: 5'),
  'a field that begins with a blank': `POST / HTTP/1.1\r\n Content-Length: 5\r\n${host}\r\n\r\nabcde`,
  'a field without a colon': head(host, 'Content-Length 5') + 'abcde',
  'a field without a name': head(host, ': 5'),
  'a blank in a field name': head(host, 'Content Length: 5') + 'abcde',
  'a NUL in a value': head(host, 'X-A: a\0b'),
  'a bare CR in a value': head(host, 'X-A: a\rContent-Length: 5'),
  'a NUL in the path': `GET /a\0b HTTP/1.1\r\n${host}\r\n\r\n`,
  'a blank in the path': `GET /a b HTTP/1.1\r\n${host}\r\n\r\n`,
  'HTTP/1.0 with chunks': `POST / HTTP/1.0\r\n${host}\r\n${chunked}\r\n\r\n${end}`,
  'a method that is no token': `GE(T / HTTP/1.1\r\n${host}\r\n\r\n`,
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/3.0': `GET / HTTP/3.0\r\n${host}\r\n\r\n`,
  'an unknown protocol': `GET / HTTQ/1.1\r\n${host}\r\n\r\n`,
}

/** Requests whose end is plain and whose target is not. */
export const badTargets: Readonly<Record<string, string>> = {
  'no host': 'GET / HTTP/1.1\r\nX-A: 1\r\n\r\n',
  'two hosts': `GET / HTTP/1.1\r\n${host}\r\nHost: b.test\r\n\r\n`,
  'the same host twice': `GET / HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`,
  'an empty host': 'GET / HTTP/1.1\r\nHost:\r\n\r\n',
  'a list of hosts': 'GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n',
  'a host with a path': 'GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n',
  'a host with a user': 'GET / HTTP/1.1\r\nHost: a.test@b.test\r\n\r\n',
  'a host with a blank': 'GET / HTTP/1.1\r\nHost: a.test b.test\r\n\r\n',
  'a host with a bad port': 'GET / HTTP/1.1\r\nHost: a.test:x80\r\n\r\n',
  'a URL of another host': `GET http://b.test/ HTTP/1.1\r\n${host}\r\n\r\n`,
  CONNECT: 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n',
  TRACE: `TRACE / HTTP/1.1\r\n${host}\r\n\r\n`,
  'a path that does not begin with a slash': `GET a.test/x HTTP/1.1\r\n${host}\r\n\r\n`,
}

/** Chunked bodies that RFC 9112 section 7.1 does not know. */
export const badBodies: Readonly<Record<string, string>> = {
  'a size that is no number': 'zz\r\nabc\r\n0\r\n\r\n',
  'a size with a sign': '+3\r\nabc\r\n0\r\n\r\n',
  'a size with 0x': '0x3\r\nabc\r\n0\r\n\r\n',
  'a size over 2^64': '10000000000000003\r\nabc\r\n0\r\n\r\n',
  'no size': '\r\nabc\r\n0\r\n\r\n',
  'a chunk longer than its size': '3\r\nabcdef\r\n0\r\n\r\n',
  'a size with a bare LF': '3\nabc\r\n0\r\n\r\n',
  'an extension with a bare LF': '3;x\nabc\r\n0\r\n\r\n',
  'a trailer that smuggles': '0\r\nX A: 1\r\n\r\n',
}
