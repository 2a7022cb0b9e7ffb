import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { fieldValue } from '../clients/h1.ts'
import { type Backend, listen, type Place } from './listen.ts'

/** A request as the backend got it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly version: string
  /** As they came: order, case and doubles kept. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  header(name: string): string | undefined
}
export interface HttpBackend extends Backend {
  /** All requests so far, in order. */
  readonly requests: readonly Seen[]
}
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown
export interface HttpOptions extends Place {
  /** Takes upgraded connections. Without it an `Upgrade` is an ordinary request. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown
  /** Answers `Expect: 100-continue` itself. */
  readonly expect?: Handler
}

/** An HTTP/1.1 server that keeps what it was asked. A handler given as text answers 200 with that text. */
export const httpBackend = async (handler: Handler | string = 'ok', options: HttpOptions = {}): Promise<HttpBackend> => {
  const requests: Seen[] = []
  const handle: Handler = typeof handler === 'string' ? (_, response) => response.end(handler) : handler
  const keep = (request: IncomingMessage) => requests.push(seen(request))
  const server = options.tls
    ? createTlsServer({ cert: options.tls.chain, key: options.tls.key })
    : createServer({ keepAliveTimeout: 60_000 })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    keep(request)
    handle(request, response)
  })
  if (options.upgrade) {
    const { upgrade } = options
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      keep(request)
      socket.on('error', () => undefined)
      upgrade(request, socket, head)
    })
  }
  if (options.expect) {
    const { expect } = options
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      keep(request)
      expect(request, response)
    })
  }
  const backend = await listen(server, options)
  return Object.assign(Object.create(backend) as Backend, { requests })
}

const seen = ({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): Seen => {
  const headers: [string, string][] = []
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
  return { method, url, version: httpVersion, headers, header: (name) => fieldValue(headers, name) }
}

/** Answers with the body that was sent, chunk by chunk. */
export const echoBody: Handler = (request, response) => request.pipe(response)

/** The same once it has all of it: some proxies cut an answer that begins before (golang/go#40747). */
export const echoWhole: Handler = async (request, response) => {
  response.end(Buffer.concat(await request.toArray().catch(() => [])))
}

/** Upgrades whatever protocol is asked for, and sends back every byte. */
export const echoUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`)
  socket.write(head)
  socket.pipe(socket)
}
