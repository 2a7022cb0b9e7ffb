import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { LastRequest } from '../../../lib/last-request.ts'
import { discardInput, lingerAfterLastAnswer, lingeringClose } from '../../../lib/lingering-close.ts'
import { Pipelines } from '../../../lib/pipelines.ts'
import { BoundedRequest } from './bounded-request.ts'
import { discard, type Exchange, type Watcher } from './exchange.ts'
import { type Client, type Fields, fieldValue } from './fields.ts'
import { lateHeads } from './late-heads.ts'
import { errorPage, pageFields, rawHead } from './pages.ts'
import { checkRequest, mayUpgrade, type Target } from './target.ts'
import { UpgradeExchange } from './upgrade.ts'

/** Times in ms. */
export interface Http1Limits {
  readonly headerBytes: number
  readonly headerTime: number
  readonly bodyTime: number
  readonly idleTime: number
}
interface Given {
  readonly limits: Http1Limits
  /** Who is at the other end of a socket. */
  client(socket: Duplex): Client
  serve(exchange: Exchange): void
  /** True: connections are to close after their answer. */
  stopping(): boolean
}

/** An HTTP/1.1 server that listens nowhere: it is fed connections by `emit('connection')`. */
export const http1Server = (given: Given): Server => {
  const { headerBytes, headerTime, idleTime, bodyTime } = given.limits
  const server = createServer({
    IncomingMessage: BoundedRequest,
    maxHeaderSize: headerBytes,
    headersTimeout: headerTime,
    // Only a backstop: the whole request is timed by its flight, which knows what the backend and this process do meanwhile.
    requestTimeout: bodyTime === 0 ? 0 : 2 * Math.max(headerTime, bodyTime),
    keepAliveTimeout: idleTime,
    connectionsCheckingInterval: 1_000,
    optimizeEmptyRequests: true,
    // It would answer without us, and go on with the requests that follow.
    requireHostHeader: false,
    shouldUpgradeCallback: ({ method = '', httpVersion, rawHeaders }) => mayUpgrade(method, httpVersion, rawHeaders),
  })
  // Node leaves out without a word what is over this count; the size of the head is limited anyway.
  server.maxHeadersCount = 0
  const late = lateHeads(server)
  const last = new LastRequest()
  const pipelines = new Pipelines((socket, bytes) => given.client(socket).buffers.add(bytes))
  const refused = (socket: Duplex): void => {
    pipelines.clear(socket)
    last.refuse(socket)
    given.client(socket).usage?.fail()
  }
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    const target = checkRequest(req.method ?? '', req.url ?? '', req.httpVersion, req.rawHeaders)
    if ('status' in target) {
      refused(req.socket)
      answer(res, target.status, true)
    } else given.serve(new Http1Exchange(req, res, target, given.client(req.socket), given.stopping, last))
  }
  const unexpected = (req: IncomingMessage, res: ServerResponse) => {
    refused(req.socket)
    answer(res, 417, true)
  }
  const inOrder = (then: typeof serve) => {
    const admitted = (req: IncomingMessage, res: ServerResponse) => {
      if (last.admits(req, res)) then(req, res)
      else pipelines.clear(req.socket)
    }
    return (req: IncomingMessage, res: ServerResponse) => pipelines.add(admitted, req, res)
  }
  server.on('request', inOrder(serve))
  server.on('checkContinue', inOrder(serve))
  server.on('checkExpectation', inOrder(unexpected))
  server.on('upgrade', (req, socket, head) => {
    const target = checkRequest(req.method ?? '', req.url ?? '', req.httpVersion, req.rawHeaders)
    socket.on('error', () => {})
    if (last.has(socket) || isAnswering(socket)) outOfTurn(socket)
    else if ('status' in target) refuseRaw(socket, target.status)
    else if (!mayUpgrade(req.method ?? '', req.httpVersion, req.rawHeaders)) refuseRaw(socket, 400)
    else given.serve(new UpgradeExchange(req, socket, head, target, given.client(socket)))
  })
  server.on('connect', (_req, socket) => {
    socket.on('error', () => {})
    if (last.has(socket) || isAnswering(socket)) outOfTurn(socket)
    else refuseRaw(socket, 405)
  })
  // Node has let go of the connection, so an answer of ours would go out before those of earlier requests.
  const outOfTurn = (socket: Duplex) => {
    if (last.has(socket)) discardInput(socket)
    else socket.destroy()
  }
  const refuse = (socket: Duplex, code: string | undefined) => {
    if (last.covers(socket, code)) return
    // None of our answers may get into the middle of another one.
    const answering = isAnswering(socket)
    refused(socket)
    if (!socket.writable || answering || code === 'ECONNRESET') socket.destroy()
    else refuseRaw(socket, statusOf(code))
  }
  server.on('clientError', ({ code }: Error & { code?: string }, socket) => {
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') late(socket, () => refuse(socket, code))
    else refuse(socket, code)
  })
  lingerAfterLastAnswer(server)
  // Without it nothing checks headersTimeout: a server that listens nowhere never says so itself.
  server.emit('listening')
  return server
}

/** Node says on the socket which answer it is writing. */
const isAnswering = (socket: Duplex): boolean => '_httpMessage' in socket && Boolean(socket._httpMessage)

const statusOf = (code: string | undefined): number =>
  code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400

/** An answer of the gateway's own. */
export const answer = (res: ServerResponse, status: number, close: boolean, fields: Fields = []): void => {
  const page = errorPage(status)
  res.shouldKeepAlive = res.shouldKeepAlive && !close
  res.writeHead(status, [...pageFields(page), ...fields])
  res.end(page)
}

const refuseRaw = (socket: Duplex, status: number): void => {
  const page = errorPage(status)
  lingeringClose(socket, rawHead(status, '', [...pageFields(page), 'Connection', 'close']) + page.toString('latin1'))
}

/** Statuses that say that the request was not for this connection, or was not read in full: nothing that follows it is a request. */
const endsConnection = new Set([408, 413, 421, 429])

class Http1Exchange implements Exchange {
  readonly client: Client
  readonly version: '1.0' | '1.1'
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly fields: Readonly<Fields>
  readonly body: Readable | undefined
  readonly length: string | undefined
  readonly upgrade = false
  #req: IncomingMessage
  #res: ServerResponse
  #watcher: Watcher | undefined
  #waits = false
  readonly #stopping: () => boolean
  readonly #last: LastRequest

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    { authority, target }: Target,
    client: Client,
    stopping: () => boolean,
    last: LastRequest,
  ) {
    this.#req = req
    this.#res = res
    this.client = client
    this.version = req.httpVersion === '1.0' ? '1.0' : '1.1'
    this.method = req.method ?? ''
    this.target = target
    this.authority = authority
    this.fields = req.rawHeaders
    const length = req.headers['content-length']
    const chunked = req.headers['transfer-encoding'] !== undefined
    this.length = length
    this.body = chunked || (length !== undefined && length !== '0') ? req : undefined
    this.#stopping = stopping
    this.#last = last
  }
  watch(watcher: Watcher): void {
    this.#watcher = watcher
    this.#res.on('close', () => watcher.gone())
    if (this.body) this.#req.on('error', () => {})
  }
  trailers(): Fields {
    return this.#req.rawTrailers
  }
  // Written by hand: Node's `writeEarlyHints` runs an exponential regular expression over Link, and drops other fields.
  inform(status: number, fields: Fields): void {
    if (this.version === '1.0') return
    // After it, Node keeps the connection open although the client expected one.
    if (status === 100) {
      this.#res.writeContinue()
      return
    }
    this.#res.socket?.write(rawHead(status, '', fields), 'latin1')
  }
  respond(status: number, reason: string, said: Fields, { trailers }: { bodyless: boolean; trailers: boolean }): void {
    // Node throws at an announcement where no trailers can follow.
    const possible = trailers && this.method !== 'HEAD' && this.version !== '1.0'
    const fields =
      possible || fieldValue(said, 'trailer') === undefined
        ? said
        : said.filter((_text, i) => said[i - (i % 2)]?.toLowerCase() !== 'trailer')
    if (this.#stopping()) this.#res.shouldKeepAlive = false
    else if (endsConnection.has(status)) {
      this.#res.shouldKeepAlive = false
      this.#last.close(this.#req.socket)
    }
    // Said each time: Node would keep the one of an earlier head that it refused.
    this.#res.writeHead(status, reason || (STATUS_CODES[status] ?? 'Unknown'), fields)
  }
  flush(): void {
    this.#res.flushHeaders()
  }
  write(chunk: Buffer): boolean {
    const more = this.#res.write(chunk)
    if (!more && !this.#waits) {
      this.#waits = true
      this.#res.once('drain', () => {
        this.#waits = false
        this.#watcher?.clientDrained()
      })
    }
    return more
  }
  end(chunk: Buffer | undefined, trailers: Fields): void {
    if (trailers.length > 0) this.#res.addTrailers(pairs(trailers))
    // As text a small body leaves in one piece with the head.
    if (chunk && chunk.length < 4_096) this.#res.end(chunk.toString('latin1'), 'latin1')
    else if (chunk) this.#res.end(chunk)
    else this.#res.end()
    if (this.body) discard(this.body, () => this.cut())
  }
  take(): never {
    throw new Error('this request asked for no upgrade')
  }
  cut(): void {
    this.#req.socket.destroy()
  }
  held(): number {
    return this.#res.writableLength + (this.body?.readableLength ?? 0)
  }
  unsent(): number {
    return this.#res.writableLength
  }
}

const pairs = (fields: Readonly<Fields>): [string, string][] => {
  const all: [string, string][] = []
  for (let i = 0; i < fields.length; i += 2) all.push([fields[i] ?? '', fields[i + 1] ?? ''])
  return all
}
