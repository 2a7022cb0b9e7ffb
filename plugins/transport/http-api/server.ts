import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HttpError, problem } from './problem.ts'

const maxSockets = 4096

/** Milliseconds that a client may take for its headers, for its whole request, and between two requests. */
const usual = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000, connectionsCheckingInterval: 1000 }

/** A server of HTTP/1.1 without a listening socket of its own: the core's accepted connections are handed to it. */
export const httpServer = (handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>, limits = usual) => {
  const sockets = new Set<Socket>()
  const running = new Set<ServerResponse>()
  let closing = false
  const server = createServer({ maxHeaderSize: 16 * 1024, ...limits })
  server.maxHeadersCount = 100
  // Without it the header and request timeouts never start: nothing else tells this server that it has connections.
  server.emit('listening')
  server.on('request', (request, response) => {
    running.add(response)
    response.once('close', () => running.delete(response))
    if (closing) response.shouldKeepAlive = false
    handle(request, response).catch(() => response.destroy())
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    refuse(socket, badRequest(error.code))
  })

  return {
    accept(socket: Socket): void {
      if (sockets.size >= maxSockets) return void socket.destroy()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
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
        response.once('finish', () => socket?.destroySoon())
      }
      const ended = [...sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
      const cut = setTimeout(() => sockets.forEach((socket) => void socket.destroy()), grace)
      for (const socket of sockets) if (!busy.has(socket)) socket.destroySoon()
      await Promise.all(ended)
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

const refuse = (socket: { end(text: string): unknown }, error: HttpError): void => {
  const response = problem(error)
  response.text().then((body) => {
    const head = [
      `HTTP/1.1 ${response.status} Error`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
    ]
    socket.end(`${[...head, 'connection: close'].join('\r\n')}\r\n\r\n${body}`)
  })
}
