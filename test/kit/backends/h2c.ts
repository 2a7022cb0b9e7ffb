import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import { type Backend, listen, type Place } from './listen.ts'

export interface H2cBackend extends Backend {
  /** The headers of all requests so far. */
  readonly requests: readonly IncomingHttpHeaders[]
}

/** An HTTP/2 server without TLS that knows nothing else (RFC 9113 section 3.3), as gRPC servers are. */
export const h2cBackend = async (
  handler: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => unknown,
  where: Omit<Place, 'tls'> = {},
): Promise<H2cBackend> => {
  const requests: IncomingHttpHeaders[] = []
  const server = createServer()
  server.on('sessionError', () => undefined)
  server.on('stream', (stream, headers) => {
    requests.push(headers)
    stream.on('error', () => undefined)
    handler(stream, headers)
  })
  const backend = await listen(server as unknown as Server, where)
  return Object.assign(Object.create(backend) as Backend, { requests })
}

/** A gRPC message on the wire: not compressed, its length, its bytes. */
export const grpcMessage = (data: Uint8Array): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(data.length, 1)
  return Buffer.concat([head, data])
}

/** Sends back every byte of the call as it comes, then `grpc-status: 0` as a trailer. */
export const echoGrpc = (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }))
  stream.pipe(stream)
}
