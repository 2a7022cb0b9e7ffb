import { expect, it, onTestFinished } from 'vitest'
import {
  byteByByte,
  createAuthority,
  echoBody,
  echoGrpc,
  echoUpgrade,
  echoWebSocket,
  grpcMessage,
  h2cBackend,
  http1,
  httpBackend,
  inPieces,
  inRecords,
  openH2,
  openTcp,
  openTls,
  openWebSocket,
  proxyV1,
  proxyV2,
  rawBackend,
  readProxyHeader,
} from './index.ts'

it('speaks HTTP/1.1 to the byte', async () => {
  const backend = await httpBackend(echoBody)
  onTestFinished(backend.close)
  const client = http1(await openTcp(backend))
  onTestFinished(client.close)
  const answer = await client.request('POST /a?b', { Host: 'x', 'X-One': '1' }, 'hello')
  expect([answer.status, answer.text, answer.header('Transfer-Encoding')]).toEqual([200, 'hello', 'chunked'])
  const [seen] = backend.requests
  expect([seen?.method, seen?.url, seen?.header('x-one')]).toEqual(['POST', '/a?b', '1'])
})

it('checks certificates of its own authority, also through odd pieces', async () => {
  const authority = await createAuthority()
  const pair = await authority.issue(['a.example', '127.0.0.1'])
  const backend = await httpBackend('over TLS', { tls: pair })
  onTestFinished(backend.close)
  for (const through of [undefined, inPieces(byteByByte), inPieces(inRecords(7))]) {
    const socket = await openTls(backend, { name: 'a.example', ca: authority.root, ...(through && { through }) })
    expect(socket.getPeerCertificate().fingerprint256).toBe(pair.fingerprint)
    const client = http1(socket)
    expect((await client.request('GET /', { Host: 'a.example' })).text).toBe('over TLS')
    client.close()
  }
  await expect(openTls(backend, { name: 'b.example', ca: authority.root })).rejects.toThrow('altnames')
})

it('echoes WebSocket frames and raw upgrades', async () => {
  const ws = await httpBackend('', { upgrade: echoWebSocket })
  onTestFinished(ws.close)
  const client = await openWebSocket(await openTcp(ws), 'x')
  for (const text of ['short', 'long '.repeat(1_000)]) {
    await client.send(text)
    expect((await client.next()).data.toString()).toBe(text)
  }
  client.close()

  const raw = await httpBackend('', { upgrade: echoUpgrade })
  onTestFinished(raw.close)
  const bytes = http1(await openTcp(raw))
  expect((await bytes.request('GET /', { Host: 'x', Connection: 'Upgrade', Upgrade: 'chat' })).status).toBe(101)
  await bytes.send('ping')
  expect((await bytes.take(4)).toString()).toBe('ping')
  bytes.close()
})

it('calls h2c as gRPC does', async () => {
  const backend = await h2cBackend(echoGrpc)
  onTestFinished(backend.close)
  const client = await openH2(backend, false)
  onTestFinished(client.close)
  const message = grpcMessage(Buffer.from('call'))
  const answer = await client.request({ headers: { ':method': 'POST', te: 'trailers' }, body: message })
  expect([answer.body, answer.trailers['grpc-status']]).toEqual([message, '0'])
})

it('reads the PROXY headers that it writes', async () => {
  const [source, target] = [
    { address: '192.0.2.7', port: 4_000 },
    { address: '127.0.0.1', port: 443 },
  ]
  for (const write of [proxyV1, proxyV2]) {
    const header = write(source, target)
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('rest')]))).toEqual({ source, target, rest: Buffer.from('rest') })
    expect(readProxyHeader(header.subarray(0, 9))).toBeUndefined()
  }
})

it('cuts connections and counts them', async () => {
  const backend = await rawBackend(({ send }) => send('hello\n'))
  onTestFinished(backend.close)
  const client = http1(await openTcp(backend))
  expect(await client.line()).toBe('hello')
  expect([backend.connections, backend.accepted]).toEqual([1, 1])
  backend.cut()
  await client.closed
})
