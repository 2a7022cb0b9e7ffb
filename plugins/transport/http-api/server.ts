import { createServer, type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { LastRequest } from '../../../lib/last-request.ts'
import { closeAtOnce, lingerAfterLastAnswer, lingeringClose } from '../../../lib/lingering-close.ts'
import { OpenConnections } from '../../../lib/open-connections.ts'
import { Pipelines } from '../../../lib/pipelines.ts'
import { HttpError } from './problem.ts'

const maxSockets = 4096

/** Milliseconds after which a connection is cut whose client reads nothing of its answer. */
const stallTime = 30_000

/** Milliseconds that a client may take for its headers, for its whole request, and between two requests. */
const usual = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000, connectionsCheckingInterval: 1000 }

/** A server of HTTP/1.1 without a listening socket of its own: the core's accepted connections are handed to it. */
export const httpServer = (handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>, limits = usual) => {
  const open = new OpenConnections(stallTime)
  const last = new LastRequest()
  const pipelines = new Pipelines(() => undefined)
  const running = new Set<ServerResponse>()
  let closing = false
  const server = createServer({ maxHeaderSize: 16 * 1024, requireHostHeader: false, ...limits })
  server.maxHeadersCount = 100
  // Without it the header and request timeouts never start: nothing else tells this server that it has connections.
  server.emit('listening')
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    if (!last.admits(request, response)) return pipelines.clear(request.socket)
    const refusal = checkMessage(request)
    if (refusal) return refuseRequest(request, response, refusal)
    running.add(response)
    response.once('close', () => running.delete(response))
    if (closing) response.shouldKeepAlive = false
    handle(request, response).catch(() => response.destroy())
  }
  // One answer at a time is made, and kept in memory, for a client that may read none.
  server.on('request', (request, response) => pipelines.add(serve, request, response))
  server.on('checkExpectation', (request, response) => {
    if (last.admits(request, response)) refuseRequest(request, response, unknownExpectation())
  })
  const refuseRequest = (request: IncomingMessage, response: ServerResponse, error: HttpError): void => {
    pipelines.clear(request.socket)
    last.refuse(request.socket)
    response.shouldKeepAlive = false
    const { status, headers, body } = refusalOf(error)
    response.writeHead(status, headers).end(body)
  }
  lingerAfterLastAnswer(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (last.covers(socket, error.code)) return
    last.refuse(socket)
    // No answer of ours may get into the middle of another one.
    const answering = '_httpMessage' in socket && socket._httpMessage instanceof ServerResponse && socket._httpMessage.headersSent
    if (error.code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy()
    const { status, headers, body } = refusalOf(badRequest(error.code))
    const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
    lingeringClose(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  })

  return {
    accept(socket: Socket): void {
      if (open.size >= maxSockets) return void socket.destroy()
      open.add(socket)
      server.emit('connection', socket)
    },
    /** Idle connections end at once, the rest when their answer is sent or after `grace` milliseconds. */
    async close(grace: number): Promise<void> {
      closing = true
      server.close()
      const busy = new Set<unknown>()
      for (const response of running) {
        const { socket } = response
        busy.add(socket)
        response.shouldKeepAlive = false
        response.once('finish', () => socket && closeAtOnce(socket))
      }
      const cut = setTimeout(() => open.destroy(), grace)
      for (const socket of open.sockets()) if (!busy.has(socket)) closeAtOnce(socket)
      await new Promise<void>((resolve) => open.whenEmpty(resolve))
      clearTimeout(cut)
    },
  }
}

const badRequest = (code: string | undefined): HttpError => {
  const fix = 'send well-formed HTTP/1.1'
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(431, 'TOO_LARGE', 'the headers are larger than 16 KiB', 'send fewer or shorter headers')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, 'TIMEOUT', 'the request did not come in time', 'send the whole of it within 30 s')
    default:
      return new HttpError(400, 'BAD_REQUEST', 'the request is not HTTP', fix)
  }
}

const unknownExpectation = (): HttpError =>
  new HttpError(417, 'BAD_REQUEST', 'the request expects something that is not served here', 'send it without Expect')

/** Ambiguous requests (request-smuggling vectors, RFC 9112 sections 3.2 and 11.2) that Node's parser admits. */
const checkMessage = ({ httpVersion, rawHeaders }: IncomingMessage): HttpError | undefined => {
  const refuse = (message: string) => new HttpError(400, 'BAD_REQUEST', message, 'send well-formed HTTP/1.1')
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return new HttpError(505, 'BAD_REQUEST', `HTTP/${httpVersion} is not served here`, 'send HTTP/1.1')
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase()
    if (name === 'host') hosts++
    else if (name === 'transfer-encoding' && (httpVersion === '1.0' || rawHeaders[i + 1]?.toLowerCase() !== 'chunked'))
      return refuse('the only transfer coding served is chunked, once, in HTTP/1.1')
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0') ? undefined : refuse(`the request names ${hosts} hosts`)
}

const refusalOf = ({ status, error: { code, message: detail, fix } }: HttpError) => {
  const body = JSON.stringify({ type: `urn:zos-gateway:error:${code}`, title: STATUS_CODES[status], status, code, detail, fix })
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'content-length': String(Buffer.byteLength(body)) },
    body,
  }
}
