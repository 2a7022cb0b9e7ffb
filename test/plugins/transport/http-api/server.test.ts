import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpServer } from '../../../../plugins/transport/http-api/server.ts'
import { tempRoot } from '../../../kit/index.ts'
import { send, startApi, wanted } from './parts.ts'

let api: Awaited<ReturnType<typeof startApi>>
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

/** All that the server says to this text until it closes, which `connection: close` makes it do. */
const raw = async (text: string): Promise<string> => {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
  socket.end(text)
  return Buffer.concat(await socket.toArray()).toString()
}
const close = 'connection: close\r\n\r\n'

describe('38: bytes that are no good request', () => {
  test.each([
    ['no Host', `GET /v1/workloads HTTP/1.1\r\n${close}`, 400],
    ['an empty Host', `GET /v1/workloads HTTP/1.1\r\nhost:\r\n${close}`, 400],
    ['two Hosts', `GET /v1/workloads HTTP/1.1\r\nhost: localhost\r\nhost: evil.example.org\r\n${close}`, 400],
    ['another host in absolute form', `GET http://evil.example.org/v1/workloads HTTP/1.1\r\nhost: localhost\r\n${close}`, 403],
    ['an asterisk', `GET * HTTP/1.1\r\nhost: localhost\r\n${close}`, 400],
    ['a backslash in the path', `GET /v1\\workloads HTTP/1.1\r\nhost: localhost\r\n${close}`, 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['a header of 17 KiB', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(17 * 1024)}\r\n${close}`, 431],
    [
      'two lengths',
      `PUT /v1/workloads/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n${close}{}`,
      400,
    ],
    ['a method that no path has', `TRACE /v1/workloads HTTP/1.1\r\nhost: localhost\r\n${close}`, 405],
    ['a path that is not there', `GET /../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n${close}`, 404],
    ['a file beside the page', `GET /docs/..%2fpackage.json HTTP/1.1\r\nhost: localhost\r\n${close}`, 404],
  ])('%s', async (_, text, status) => {
    const answer = await raw(text)
    expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `)
    expect(api.gateway.routes.size).toBe(0)
    expect((await send(api, '/healthz')).status).toBe(200)
  })

  test('every answer of ours is a problem with a code', async () => {
    for (const text of [
      'hello\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(17 * 1024)}\r\n${close}`,
      `GET * HTTP/1.1\r\nhost: localhost\r\n${close}`,
    ]) {
      const [head = '', body = ''] = (await raw(text)).split('\r\n\r\n')
      expect(head).toContain('application/problem+json')
      expect(JSON.parse(body)).toMatchObject({ status: expect.any(Number), code: expect.stringMatching(/BAD_REQUEST|TOO_LARGE/) })
    }
  })
})

test('38: 1,000 requests at once are all answered', async () => {
  const puts = Array.from({ length: 1000 }, (_, i) =>
    send(api, `/v1/workloads/p-${i}`, { method: 'PUT', body: wanted(`p-${i}.example.org`) }),
  )
  const answers = await Promise.all(puts)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(api.gateway.routes.size).toBe(1000)
})

test('38: more at once than are allowed get LIMIT and may try again', async () => {
  const small = await startApi({ maxParallel: 4 })
  const engine = Promise.withResolvers<void>()
  small.engine.before = () => engine.promise
  const put = (i: number) => send(small, `/v1/workloads/l-${i}`, { method: 'PUT', body: wanted(`l-${i}.example.org`) })
  const first = Array.from({ length: 4 }, (_, i) => put(i))
  while (small.gateway.status().pending < 4) await new Promise(setImmediate)
  const more = await Promise.all([put(4), put(5), send(small, '/v1/status')])
  for (const { status, json, headers } of more) {
    expect([status, json.code]).toEqual([429, 'LIMIT'])
    expect(headers['retry-after']).toBe('1')
  }
  expect((await send(small, '/healthz')).status).toBe(200)
  expect((await send({ socket: small.socket }, '/v1/status')).status).toBe(200)
  engine.resolve()
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([201, 201, 201, 201])
  expect((await put(4)).status).toBe(201)
  await small.close()
})

test.each(['tcp', 'socket'])(
  'a refused request is the last one of its connection, which ends though its client never closes it (%s)',
  async (how) => {
    const small = await startApi()
    const first = [
      'GET / HTTP/1.1\r\nhost : x\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'POST / HTTP/1.0\r\nhost: localhost\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: localhost\r\nexpect: x\r\ncontent-length: 2\r\n\r\nab',
      'GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    ]
    const body = JSON.stringify(wanted('next.example.org'))
    const type = 'content-type: application/json'
    const put = `PUT /v1/workloads/next HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const answers = first.map(async (text) => {
      const port = Number(new URL(small.url).port)
      const socket =
        how === 'tcp'
          ? connect({ port, host: '127.0.0.1', allowHalfOpen: true })
          : connect({ path: small.socket, allowHalfOpen: true })
      let got = ''
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          got += chunk
        })
      socket.write(text + put)
      // Goes on to send until the gateway has let go of the connection.
      const going = setInterval(() => socket.write(put), 200)
      await new Promise((closed) => socket.once('close', closed))
      clearInterval(going)
      return got.match(/HTTP\/1\.1 \d+/g)
    })
    expect(await Promise.all(answers)).toEqual([400, 400, 400, 400, 417, 200].map((status) => [`HTTP/1.1 ${status}`]))
    expect(small.gateway.routes.size).toBe(0)
    await small.close()
  },
  30_000,
)

test('a closing gateway answers what it took, ends idle connections, and takes no more', async () => {
  const ending = await startApi()
  const engine = Promise.withResolvers<void>()
  ending.engine.before = () => engine.promise
  const port = Number(new URL(ending.url).port)
  const idle = [connect(port, '127.0.0.1'), connect(ending.socket)]
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  const put = send(ending, '/v1/workloads/c', {
    method: 'PUT',
    body: wanted('c.example.org'),
    headers: { connection: 'keep-alive' },
  })
  while (ending.gateway.status().pending < 1) await new Promise(setImmediate)
  const closed = ending.close()
  await Promise.all(idle.map((socket) => once(socket.resume(), 'close')))
  engine.resolve()
  expect(await put).toMatchObject({ status: 201, headers: { connection: 'close' } })
  await closed
  await expect(send(ending, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a client that leaves in the middle of its body is no fault of the gateway', async () => {
  const leaving = await startApi()
  const socket = connect(Number(new URL(leaving.url).port), '127.0.0.1')
  socket.write('PUT /v1/workloads/x HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{')
  await once(socket, 'connect')
  await send(leaving, '/healthz')
  socket.resetAndDestroy()
  await leaving.close()
  expect(leaving.log.filter((line) => line.includes('failed'))).toEqual([])
})

test('a port that is taken is PORT_IN_USE, says whose it was to be, and leaves nothing behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const tcp = { port: typeof address === 'object' && address ? address.port : 0 }
  const socket = join(tempRoot().path, 'api.sock')
  await expect(startApi({ tcp, socket })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `the HTTP API cannot listen: 127.0.0.1:${tcp.port} is in use by another process`,
    fix: expect.stringContaining('--api'),
  })
  expect(existsSync(socket)).toBe(false)
  taken.close()
})

test('23: a client that does not finish its headers, or its body, is answered 408 and cut', async () => {
  const limits = { headersTimeout: 200, requestTimeout: 400, keepAliveTimeout: 200, connectionsCheckingInterval: 50 }
  const server = httpServer(async (request, response) => {
    await request.toArray()
    response.end('read')
  }, limits)
  const listener = createServer((socket: Socket) => server.accept(socket)).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const say = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    return Buffer.concat(await socket.toArray()).toString()
  }
  const answers = await Promise.all([
    say('GET / HTTP/1.1\r\nhost: x\r\n'),
    say('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf'),
  ])
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"TIMEOUT"/s)
  listener.close()
  await server.close(100)
})

test('pipelined requests are answered one at a time, in their order, and none is made for a client that reads nothing', async () => {
  let made = 0
  const server = httpServer(async (request, response) => {
    response.end(`${request.url} `.padEnd(1 << 20, 'x') + ++made)
  })
  const listener = createServer((socket: Socket) => server.accept(socket)).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  const requests = Array.from({ length: 50 }, (_, at) => `GET /${at} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  socket.pause()
  socket.write(requests.join(''))
  await expect.poll(() => made).toBeGreaterThan(0)
  // What the kernel takes off the gateway's hands is some megabytes.
  expect(made).toBeLessThan(25)
  const order: string[] = []
  let text = ''
  for await (const chunk of socket) {
    text = (text + String(chunk)).slice(-2_000_000)
    for (const [, url = ''] of text.matchAll(/(\/\d+) x/g)) if (!order.includes(url)) order.push(url)
    if (order.length === 50) break
  }
  expect(order).toEqual(requests.map((_, at) => `/${at}`))
  socket.destroy()
  listener.close()
  await server.close(0)
})
