import { once } from 'node:events'
import { expect } from 'vitest'
import { echoGrpc, grpcMessage, h2cBackend } from '../backends/h2c.ts'
import { backend, type Cases } from './cases.ts'
import { defer } from './world.ts'

const call = { ':method': 'POST', ':path': '/test.Echo/Call', 'content-type': 'application/grpc', te: 'trailers' }
const echo = async () => {
  const made = await h2cBackend(echoGrpc)
  defer(made.close)
  return made
}

/** Calls to backends that speak HTTP/2 without TLS. */
export const grpc: Cases = {
  'carries a gRPC call to an h2c backend, trailers too': async (open) => {
    const world = await open({ grpc: true })
    const server = await echo()
    await world.set('1-1-a', 'a.test', [server.url])
    const client = await world.h2('a.test')
    const message = grpcMessage(Buffer.from('hello'))
    for (let count = 0; count < 5; count++) {
      const answer = await client.request({ headers: call, body: message })
      expect([answer.status, answer.body, answer.trailers['grpc-status'], answer.trailers['grpc-message']]).toEqual([
        200,
        message,
        '0',
        'fine',
      ])
    }
    const [seen] = server.requests
    expect([seen?.[':path'], seen?.[':authority'], seen?.te]).toEqual([call[':path'], 'a.test', 'trailers'])
    expect(seen?.['x-forwarded-for']).toBe('127.0.0.1')
  },

  'carries a gRPC stream both ways while it runs': async (open) => {
    const world = await open({ grpc: true })
    await world.set('1-1-a', 'a.test', [(await echo()).url])
    const stream = (await world.h2('a.test')).open(call)
    const trailers = once(stream, 'trailers')
    for (const word of ['one', 'two', 'three']) {
      const message = grpcMessage(Buffer.from(word))
      stream.write(message)
      const [back] = await once(stream, 'data')
      expect(back).toEqual(message)
    }
    stream.end()
    const [got] = await trailers
    expect(got['grpc-status']).toBe('0')
  },

  'speaks HTTP/1.1 to the same host where it is not asked for gRPC': async (open) => {
    const world = await open({ grpc: true })
    const web = await backend('plain')
    await world.set('1-1-a', 'a.test', [web.url])
    expect((await world.get('a.test')).text).toBe('plain')
    expect(web.requests[0]?.version).toBe('1.1')
  },
}
