import { once } from 'node:events'
import { expect, test } from 'vitest'
import { readHead } from '../../../kit/backends/raw.ts'
import { backend, bytesBackend } from '../../../kit/engine/cases.ts'
import { openWorld } from '../../../kit/engine/world.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)
const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
/** A backend that answers every request with these bytes. */
const answering = (bytes: string) =>
  bytesBackend(async (connection) => {
    for (;;) {
      await readHead(connection)
      await connection.send(bytes)
    }
  })
/** Node's own check of Link takes time that doubles with each parameter of this one. */
const hostileLink = `<x>${';a=b'.repeat(45)}"`

test('a Link field that no parser takes reaches clients of HTTP/1.1 and HTTP/2 at once, and holds nobody up', async () => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await answering(`HTTP/1.1 103 Early Hints\r\nLink: ${hostileLink}\r\n\r\n${final}`)).url])
  await world.set('1-1-b', 'b.test', [(await backend('fine')).url])
  const one = await world.h1('a.test')
  await one.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  expect([(await one.answer()).header('link'), (await one.answer()).text]).toEqual([hostileLink, 'ok'])
  const two = await world.h2('a.test')
  const stream = two.open({})
  const [hints] = await once(stream, 'headers')
  expect([hints[':status'], hints.link]).toEqual([103, hostileLink])
  expect((await world.get('b.test')).text).toBe('fine')
})

test('interim responses of every status come in order, with their end-to-end fields and without a length', async () => {
  const world = await open()
  const interims = [
    'HTTP/1.1 102 Processing\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\nX-More: caf\xe9\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n',
    'HTTP/1.1 104 \r\nUpload-Offset: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 199 Odd\r\n\r\n',
  ]
  await world.set('1-1-a', 'a.test', [(await answering(interims.join('') + final)).url])
  const one = await world.h1('a.test')
  await one.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  const came = []
  for (let at = 0; at < 5; at++) came.push(await one.answer())
  const names = came.map(({ status, headers }) => [status, ...headers.map(([name]) => name.toLowerCase())])
  expect(names.slice(0, 4)).toEqual([[102], [103, 'link', 'link', 'x-more'], [104, 'upload-offset'], [199]])
  expect([came[1]?.header('x-more'), came[4]?.status, came[4]?.text]).toEqual(['caf\xe9', 200, 'ok'])
  expect((await one.request('GET /', { Host: 'a.test' })).text).toBe('ok')

  const stream = (await world.h2('a.test')).open({})
  const statuses: unknown[] = []
  stream.on('headers', (headers) => statuses.push(headers[':status']))
  await once(stream, 'response')
  expect(statuses).toEqual([102, 103, 104, 199])
})

test('interim responses to a request that came behind another one go out behind the response to that', async () => {
  const world = await open()
  const web = await bytesBackend(async (connection) => {
    for (;;) {
      const [line = ''] = await readHead(connection)
      await connection.send(`HTTP/1.1 103 \r\nLink: <${line.split(' ')[1]}>\r\n\r\n${final}`)
    }
  })
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h1('a.test')
  await client.send('GET /first HTTP/1.1\r\nHost: a.test\r\n\r\nGET /second HTTP/1.1\r\nHost: a.test\r\n\r\n')
  for (const path of ['/first', '/second'])
    expect([(await client.answer()).header('link'), (await client.answer()).text]).toEqual([`<${path}>`, 'ok'])
})

test('a client of HTTP/1.0 gets no interim response', async () => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await answering(`HTTP/1.1 103 \r\nLink: <x>\r\n\r\n${final}`)).url])
  const client = await world.h1('a.test')
  await client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
  expect((await client.answer()).status).toBe(200)
})

test.each([
  ['too many', 'HTTP/1.1 102 \r\n\r\n'.repeat(101)],
  ['too long ones', `HTTP/1.1 103 \r\nX: ${'x'.repeat(40_000)}\r\n\r\n`.repeat(2)],
  ['one that ends HTTP', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
  ['the status 099', 'HTTP/1.1 099 Low\r\n\r\n'],
  ['the status 000', 'HTTP/1.1 000 \r\n\r\n'],
])('a backend that sends %s before its response is given up with 502', async (_what, bytes) => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await answering(bytes + final)).url])
  expect((await world.get('a.test')).status).toBe(502)
  expect((await (await world.h2('a.test')).request({ headers: {} })).status).toBe(502)
})
