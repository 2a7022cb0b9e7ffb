import { once } from 'node:events'
import { createServer as createH2 } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { readHead } from '../../../kit/backends/raw.ts'
import { frameType, openFrames } from '../../../kit/clients/h2-frames.ts'
import { backend, bytesBackend, eventually } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)

/** Whole answers: head, body as it is sent, and as it is read. */
const answers: Readonly<Record<string, readonly [head: string, body: string, text: string]>> = {
  'of a length': ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', 'all of it', 'all of it'],
  'in chunks': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '4\r\nall \r\n5\r\nof it\r\n0\r\nX-T: 1\r\n\r\n',
    'all of it',
  ],
  'behind hints': ['HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 'ok', 'ok'],
}

test.for(Object.entries(answers))(
  'an answer %s that breaks off at any byte is told apart from a whole one',
  async ([, [head, body, text]]) => {
    const bytes = head + body
    const world = await open()
    const raw = await bytesBackend(async (connection) => {
      for (;;) {
        const [line = ''] = await readHead(connection)
        const [, how, at] = /^GET \/(end|reset)\/(\d+) /.exec(line) ?? []
        if (how === undefined) await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')
        else {
          await connection.send(bytes.slice(0, Number(at)))
          if (Number(at) === bytes.length) continue
          const socket = connection.socket as Socket
          if (how === 'end') socket.end()
          else socket.resetAndDestroy()
          return
        }
      }
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const two = await world.h2('a.test')
    const ask = async (path: string) => {
      const one = await world.h1('a.test')
      const outcome = (asked: Promise<{ status: number; text: string }>) =>
        asked.then(
          (answer) => `${answer.status} ${answer.status === 200 ? answer.text : ''}`,
          () => 'broken off',
        )
      const got = await Promise.all([
        outcome(one.request(`GET ${path}`, { Host: 'a.test' })),
        outcome(two.request({ headers: { ':path': path } })),
      ])
      one.close()
      return got
    }
    for (let at = 0; at <= bytes.length; at++)
      for (const how of ['end', 'reset']) {
        const wanted = at === bytes.length ? `200 ${text}` : at < head.length ? '502 ' : 'broken off'
        const got = await ask(`/${how}/${at}`)
        // A reset may take with it what came before.
        if (how === 'reset' && wanted === 'broken off')
          for (const one of got) expect([at, ['502 ', 'broken off'].includes(one)]).toEqual([at, true])
        else expect([how, at, ...got]).toEqual([how, at, wanted, wanted])
        expect(await ask('/')).toEqual(['200 fine', '200 fine'])
      }
  },
)

test('hundreds of streams that take nothing hold nobody up, and leave nothing behind however they end', async () => {
  const world = await open()
  const large = Buffer.alloc(100_000, 'a')
  const web = await backend((request, response) => response.end(request.url === '/small' ? 'fine' : large))
  await world.set('1-1-a', 'a.test', [web.url])
  const fields = Object.entries({ ':method': 'GET', ':scheme': 'https', ':authority': 'a.test', ':path': '/' })
  // Together less than a connection may hold, beyond which no more requests are carried out.
  const each = 30
  const ids = Array.from({ length: each }, (_, at) => at * 2 + 1)
  const stalled = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
      defer(client.close)
      await client.send(frameType.settings, 0, 0, Buffer.of(0, 4, 0, 0, 0, 0))
      for (const id of ids) await client.headers(id, fields, true)
      // The heads come, and nothing behind them.
      for (let heads = 0; heads < each; ) if ((await client.next()).type === frameType.headers) heads++
      return client
    }),
  )
  const good = await world.h2('a.test')
  const small = { headers: { ':path': '/small' } }
  for (let asked = 0; asked < 20; asked++) expect((await good.request(small)).text).toBe('fine')

  const [resets, closes, widens, leaves] = stalled
  if (!resets || !closes || !widens || !leaves) throw new Error('there are four')
  for (const id of ids) await resets.send(frameType.reset, 0, id, Buffer.of(0, 0, 0, 8))
  closes.close()
  await leaves.send(frameType.goaway, 0, 0, Buffer.alloc(8))
  for (const id of ids) await leaves.send(frameType.reset, 0, id, Buffer.of(0, 0, 0, 8))
  await leaves.closed
  await widens.send(frameType.window, 0, 0, Buffer.of(0x7f, 0, 0, 0))
  await widens.send(frameType.settings, 0, 0, Buffer.of(0, 4, 0, 2, 0, 0))
  let bytes = 0
  for (let ends = 0; ends < each; ) {
    const { type, flags, payload } = await widens.next()
    if (type !== frameType.data) continue
    bytes += payload.length
    ends += flags & 1
  }
  expect(bytes).toBe(each * large.length)
  // Those that were reset go on to serve.
  await resets.headers(9_999, [...fields.slice(0, 3), [':path', '/small']], true)
  expect(await resets.outcome(9_999)).toBe('ok')
  await eventually(async () => expect(web.connections).toBeLessThanOrEqual(64))
  await eventually(async () => expect(await world.bytes('1-1-a')).toEqual({ request: 0, response: each * large.length + 20 * 4 }))
})

test('an answer over HTTP/2 that breaks off at any byte, by a reset or an end, is never taken for a whole one', async () => {
  const world = await openWorld(({ http, https, drain, retryAfter }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, backends: { h2c: 'always', retrySeconds: retryAfter } }),
  )()
  const web = createH2().listen(0, '127.0.0.1')
  await once(web, 'listening')
  defer(() => web.close())
  web.on('stream', async (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'x-a': 'b' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': '1' }))
    stream.write('all ')
    await turn()
    if (!stream.destroyed) stream.end('of it')
  })
  /** What the next answers may still have of bytes before they are cut. */
  const cut = { left: Number.POSITIVE_INFINITY, by: 'end' }
  const between = createServer((near) => {
    const far = connect((web.address() as AddressInfo).port, '127.0.0.1')
    for (const end of [near, far]) end.on('error', () => undefined).setNoDelay(true)
    near.pipe(far)
    near.on('close', () => far.destroy())
    far.on('data', (chunk: Buffer) => {
      const piece = chunk.subarray(0, cut.left)
      if (piece.length > 0) near.write(piece)
      cut.left -= piece.length
      if (piece.length === chunk.length) return
      far.destroy()
      if (cut.by === 'end') near.end()
      else near.resetAndDestroy()
    })
    far.on('close', () => near.end())
  }).listen(0, '127.0.0.1')
  await once(between, 'listening')
  defer(() => between.close())
  await world.set('1-1-a', 'a.test', [`http://127.0.0.1:${(between.address() as AddressInfo).port}`])
  const ask = async () => {
    const answers = await Promise.all(
      [world.get('a.test'), world.h2('a.test').then((two) => two.request({ headers: {} }))].map(outcome),
    )
    return answers
  }
  const outcome = (asked: Promise<{ status: number; text: string }>) =>
    asked.then(
      ({ status, text }) => `${status} ${status === 200 ? text : ''}`,
      () => 'broken off',
    )
  const seen = new Set<string>()
  for (let at = 0; at < 140; at++) {
    cut.left = Number.POSITIVE_INFINITY
    // The connection that was cut may not be known to be gone.
    await eventually(async () => expect(await ask()).toEqual(['200 all of it', '200 all of it']))
    Object.assign(cut, { left: at, by: at % 2 === 0 ? 'end' : 'reset' })
    for (const got of await ask()) {
      expect([at, ['502 ', 'broken off', '200 all of it'].includes(got), got]).toEqual([at, true, got])
      seen.add(got)
    }
  }
  expect([...seen].sort()).toEqual(['200 all of it', '502 ', 'broken off'])
})
