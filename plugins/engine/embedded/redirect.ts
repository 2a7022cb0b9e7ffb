import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { LastRequest } from '../../../lib/last-request.ts'
import { lingerAfterLastAnswer, lingeringClose } from '../../../lib/lingering-close.ts'
import { Pipelines } from '../../../lib/pipelines.ts'
import { answerPlainly, challengeToken } from './challenges.ts'
import { answer, type Http1Limits } from './http1.ts'
import { lateHeads } from './late-heads.ts'
import { checkRequest, hostKey } from './target.ts'

interface Given {
  readonly limits: Http1Limits
  knows(host: string): boolean
  /** The https port that clients know. */
  port(): number
  stopping(): boolean
  /** A request on the connection came to nothing. */
  failed(socket: Duplex): void
  /** So many more bytes are held in memory for a connection; negative: fewer. */
  hold(socket: Duplex, bytes: number): void
  /** What is answered to an http-01 challenge (RFC 8555 section 8.3). */
  challenge(token: string): string | undefined
}

/** What port 80 answers: known hosts are sent to https, others get 404. Listens nowhere: it is fed by `emit('connection')`. */
export const redirectServer = ({ limits, knows, port, stopping, challenge, failed, hold }: Given): Server => {
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTime,
    requestTimeout: limits.headerTime,
    keepAliveTimeout: limits.idleTime,
    requireHostHeader: false,
    connectionsCheckingInterval: 1_000,
  })
  const last = new LastRequest()
  const pipelines = new Pipelines(hold)
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    if (!last.admits(req, res)) return pipelines.clear(req.socket)
    const fields = req.rawHeaders.filter((_text, i) => req.rawHeaders[i - (i % 2)]?.toLowerCase() !== 'upgrade')
    const asked = checkRequest(req.method ?? '', req.url ?? '', req.httpVersion, fields)
    if ('status' in asked) {
      pipelines.clear(req.socket)
      last.refuse(req.socket)
      failed(req.socket)
      return answer(res, asked.status, true)
    }
    const host = hostKey(asked.authority)
    // A body is not waited for: nobody is going to read it.
    const close = stopping() || req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined
    const token = challengeToken(asked.target)
    const proof = token === undefined ? undefined : challenge(token)
    if (proof !== undefined) return answerPlainly(res, proof, close)
    if (!knows(host) || asked.target === '*' || token !== undefined) {
      failed(req.socket)
      return answer(res, 404, close)
    }
    const suffix = port() === 443 ? '' : `:${port()}`
    const status = req.method === 'GET' || req.method === 'HEAD' ? 301 : 308
    answer(res, status, close, ['Location', `https://${host}${suffix}${asked.target}`])
  }
  server.on('request', (req, res) => pipelines.add(serve, req, res))
  server.on('connect', (_req, socket) =>
    lingeringClose(socket, 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  )
  const late = lateHeads(server)
  const refuse = (socket: Duplex, code: string | undefined) => {
    if (last.covers(socket, code)) return
    last.refuse(socket)
    failed(socket)
    if (socket.writable) lingeringClose(socket, 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    else socket.destroy()
  }
  server.on('clientError', ({ code }: Error & { code?: string }, socket) => {
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') late(socket, () => refuse(socket, code))
    else refuse(socket, code)
  })
  lingerAfterLastAnswer(server)
  server.emit('listening')
  return server
}
