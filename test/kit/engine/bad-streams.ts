type Fields = readonly (readonly [name: string, value: string])[]

const get: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.test'],
  [':path', '/'],
]
const post: Fields = [[':method', 'POST'], ...get.slice(1)]

interface BadStream {
  readonly fields: Fields
  readonly body?: string
  /** Served is fine too where the backend sees nothing like this: the one bad field was left out. */
  readonly without?: RegExp
}

/** Requests over HTTP/2 that RFC 9113 section 8 calls malformed, and that mean something else once they are text. */
export const badStreams: Readonly<Record<string, BadStream>> = {
  'Transfer-Encoding': { fields: [...post, ['transfer-encoding', 'chunked']], body: '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n' },
  'a length that is too short': { fields: [...post, ['content-length', '1']], body: 'aGET /smuggled HTTP/1.1\r\n\r\n' },
  'two lengths': {
    fields: [...post, ['content-length', '1'], ['content-length', '2']],
    body: 'ab',
  },
  'a length that is no number': { fields: [...post, ['content-length', '+2']], body: 'ab' },
  'a line break in a value': { fields: [...get, ['x-a', 'b\r\nX-Smuggled: 1']], without: /smuggled/i },
  'a line break in a name': { fields: [...get, ['x-a: b\r\nx-smuggled', '1']], without: /x-a|smuggled/i },
  'a line break in the path': { fields: [...get.slice(0, 3), [':path', '/ HTTP/1.1\r\nX-Smuggled: 1\r\n\r\n']] },
  'a line break in the method': { fields: [[':method', 'GET / HTTP/1.1\r\nX-Smuggled: 1\r\n\r\nGET'], ...get.slice(1)] },
  'a blank in the method': { fields: [[':method', 'GET /smuggled'], ...get.slice(1)] },
  'a NUL in a value': { fields: [...get, ['x-a', 'a\0b']], without: /\0/ },
  'a colon in a name': { fields: [...get, ['x:a', '1']], without: /x:a/ },
  'an upper case name': { fields: [...get, ['X-Upper', '1']] },
  Connection: { fields: [...get, ['connection', 'x-a'], ['x-a', '1']] },
  'another Host': { fields: [...get, ['host', 'b.test']] },
  'two hosts': { fields: [...get, ['host', 'a.test'], ['host', 'b.test']] },
  'an authority with a path': { fields: [...get.slice(0, 2), [':authority', 'a.test/x'], [':path', '/']] },
  'an authority with a user': { fields: [...get.slice(0, 2), [':authority', 'a.test@b.test'], [':path', '/']] },
  'two paths': { fields: [...get, [':path', '/two']] },
  'no path': { fields: get.slice(0, 3) },
  'an empty path': { fields: [...get.slice(0, 3), [':path', '']] },
  'a path that does not begin with a slash': { fields: [...get.slice(0, 3), [':path', 'x']] },
  'a pseudo field behind a field': { fields: [...get.slice(0, 3), ['x-a', '1'], [':path', '/']] },
  CONNECT: {
    fields: [
      [':method', 'CONNECT'],
      [':authority', 'a.test:443'],
    ],
  },
  'CONNECT for a WebSocket': { fields: [[':method', 'CONNECT'], [':protocol', 'websocket'], ...get.slice(1)] },
  TRACE: { fields: [[':method', 'TRACE'], ...get.slice(1)] },
}
