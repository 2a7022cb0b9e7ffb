import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHead } from '../kit/backends/raw.ts'
import { bytesBackend } from '../kit/engine/cases.ts'
import { openWorld } from '../kit/engine/world.ts'
import { embeddedUnderTest } from '../plugins/engine/embedded/under-test.ts'
import { patience, runs } from './runs.ts'

const some = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const status = some('200', '204', '304', '100', '102', '103', '199', '101', '099', '000', '999', '600', '1', '2000', '', 'abc')
const text = fc.oneof(
  { weight: 3, arbitrary: some('OK', '', '\x00', '\x0b', '\x7f', '\r', '\n', '\x85\xa0', '\t', ': ') },
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const name = fc.oneof(
  some('Content-Length', 'Transfer-Encoding', 'Connection', 'Link', 'Trailer', 'Content-Disposition', 'Upgrade', 'Keep-Alive'),
  some('Date', 'Expect', 'Set-Cookie', 'WWW-Authenticate', '__proto__', 'constructor', ':status', '', 'X Y', 'x'),
)
const value = fc.oneof(
  some('0', '5', '-1', '99999999999999999999', 'chunked', 'close', 'keep-alive', 'gzip, chunked', 'NTLM', 'x-a, te', 'websocket'),
  some('<x>;a=b"', 'attachment; filename="\xe6\xbc\x8f.txt"'),
  text,
)
const head = fc
  .tuple(some('HTTP/1.1', 'HTTP/1.0', 'HTTP/2', 'ICY', ''), status, text, fc.array(fc.tuple(name, value), { maxLength: 6 }))
  .map(([version, code, reason, fields]) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
    return `${version} ${code} ${reason}\r\n${lines.join('')}\r\n`
  })
const body = fc.oneof(
  some('', 'hello', '5\r\nhello\r\n0\r\n\r\n', '0\r\nContent-Length: 5\r\n\r\n', 'z\r\n', '5\r\nhello!'),
  text,
)
const answers = fc.tuple(fc.array(head, { minLength: 1, maxLength: 4 }), body, fc.boolean())

test('whatever a backend answers ends at most its own request, over HTTP/1.1 and HTTP/2', { timeout: patience }, async () => {
  const world = await openWorld(embeddedUnderTest)()
  let bytes = ''
  const web = await bytesBackend(async (connection) => {
    await readHead(connection)
    await connection.send(bytes)
    connection.socket.end()
  })
  await world.set('1-1-a', 'a.test', [web.url])
  let two = await world.h2('a.test')
  const play = fc.asyncProperty(answers, some('GET', 'HEAD', 'POST'), async ([heads, body, again], method) => {
    bytes = heads.join('') + body + (again ? heads.join('') : '')
    const one = await world.h1('a.test')
    await one.send(`${method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    const closed = await one.closed
    expect(['end', 'reset']).toContain(closed)
    one.close()
    // A stream that breaks off is the request's own end; the connection goes on.
    await two.request({ headers: { ':method': method } }).catch(() => undefined)
    if (two.session.destroyed) two = await world.h2('a.test')
    bytes = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine'
    expect((await two.request({ headers: {} })).text).toBe('fine')
  })
  await fc.assert(play, { numRuns: Math.ceil(runs / 200), endOnFailure: true })
})
