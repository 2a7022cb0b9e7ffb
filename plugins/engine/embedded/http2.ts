import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { discard, type Exchange, type Watcher } from './exchange.ts'
import type { Client, Fields } from './fields.ts'
import { errorPage, pageFields } from './pages.ts'
import { mostFields, mostHead, record } from './request-head.ts'
import { checkRequest, type Refusal, type Target } from './target.ts'

/** Times in ms. */
interface Http2Limits {
  readonly headerBytes: number
  readonly idleTime: number
  readonly streams: number
  /** PING and SETTINGS frames of one connection in a second. */
  readonly controlFrames: number
}
interface Given {
  readonly limits: Http2Limits
  /** Who is at the other end of the connection that is being taken. */
  client(): Client
  serve(exchange: Exchange): void
  /** A connection is there; it is over when it emits `close`. */
  opened(session: ServerHttp2Session): void
  readonly log: (message: string, fields?: object) => void
}

/** An HTTP/2 server that listens nowhere: it is fed connections by `emit('connection')`. */
export const http2Server = (given: Given): Http2Server => {
  const { limits } = given
  const server = createServer({
    settings: {
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headerBytes,
      enablePush: false,
      initialWindowSize: 262_144,
    },
    // Heads are limited by their bytes: browsers send each of many cookies as a field of its own.
    maxHeaderListPairs: mostFields,
    maxSendHeaderBlockLength: mostHead,
    maxSessionMemory: 10,
    maxSettings: 32,
    strictSingleValueFields: false,
    unknownProtocolTimeout: 5_000,
  })
  server.on('session', (session) => {
    const client = given.client()
    session.setLocalWindowSize(1_048_576)
    session.setTimeout(limits.idleTime, () => session.close())
    session.on('error', () => {})
    capControlFrames(session, limits.controlFrames, () =>
      given.log('closed an HTTP/2 connection that floods', { client: client.address }),
    )
    session.on('stream', (stream, _headers, flags, raw) => serve(given, client, stream, flags, raw))
    given.opened(session)
  })
  server.on('sessionError', () => {})
  return server
}

// Node stops floods of resets and continuations by itself; PING and SETTINGS it answers for ever.
const capControlFrames = (session: ServerHttp2Session, most: number, told: () => void): void => {
  let since = 0
  let count = 0
  const seen = () => {
    const now = performance.now()
    if (now - since > 1_000) {
      since = now
      count = 0
    }
    count++
    if (count !== most + 1) return
    told()
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('ping', seen)
  session.on('remoteSettings', seen)
}

const serve = (given: Given, client: Client, stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void => {
  stream.on('error', () => {})
  const request = readHead(raw)
  if ('status' in request) {
    if (stream.destroyed || stream.closed) return
    const page = errorPage(request.status)
    stream.respond({ ':status': request.status, ...record(pageFields(page)) })
    stream.end(page)
    return
  }
  const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
  given.serve(new Http2Exchange(stream, request, client, ended))
}

interface Head extends Target {
  readonly method: string
  readonly fields: Fields
  readonly length: string | undefined
}
// RFC 9113 section 8.3.1.
const readHead = (raw: readonly string[]): Head | Refusal => {
  let method = ''
  let path = ''
  let authority: string | undefined
  let host: string | undefined
  let length: string | undefined
  const fields: Fields = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    switch (name) {
      case ':method':
        method = value
        break
      case ':path':
        path = value
        break
      case ':authority':
        authority = value
        break
      case ':scheme':
        break
      case ':protocol':
        return { status: 405, reason: 'extended CONNECT is not served here' }
      case 'host':
        if (host !== undefined) return { status: 400, reason: 'the request names its host twice' }
        host = value
        break
      case 'content-length':
        length = value
        break
      default:
        fields.push(name, value)
    }
  }
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    return { status: 400, reason: 'the request names two hosts' }
  }
  const named = authority ?? host
  const target = checkRequest(method, path, '2', named === undefined ? fields : ['host', named, ...fields])
  return 'status' in target ? target : { ...target, method, fields, length }
}

class Http2Exchange implements Exchange {
  readonly client: Client
  readonly version = '2'
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly fields: Readonly<Fields>
  readonly body: Readable | undefined
  readonly length: string | undefined
  readonly upgrade = false
  #stream: ServerHttp2Stream
  #trailers: Fields = []
  #received: Fields = []

  constructor(stream: ServerHttp2Stream, head: Head, client: Client, ended: boolean) {
    this.#stream = stream
    this.client = client
    this.method = head.method
    this.target = head.target
    this.authority = head.authority
    this.fields = head.fields
    this.length = head.length
    this.body = ended ? undefined : stream
  }
  watch(watcher: Watcher): void {
    const stream = this.#stream
    stream.on('close', () => watcher.gone())
    stream.on('drain', () => watcher.clientDrained())
    // Reset by the client without an error, Node waits for what was written to be sent, which it never is.
    stream.on('aborted', () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) stream.destroy()
    })
    if (!this.body) return
    stream.on('trailers', (_headers, _flags, raw: Fields) => {
      this.#received = raw
    })
  }
  trailers(): Fields {
    return this.#received
  }
  inform(status: number, fields: Fields): void {
    if (this.#stream.destroyed || this.#stream.closed) return
    if (status === 100 || status === 103) this.#stream.additionalHeaders({ ':status': status, ...record(fields) })
  }
  respond(
    status: number,
    _reason: string,
    fields: Fields,
    { bodyless, trailers }: { bodyless: boolean; trailers: boolean },
  ): void {
    if (this.#stream.destroyed || this.#stream.closed) return
    this.#stream.respond(
      { ':status': status, ...record(fields) },
      { endStream: bodyless, waitForTrailers: trailers && !bodyless },
    )
    if (trailers && !bodyless) this.#stream.on('wantTrailers', () => this.#sendTrailers())
  }
  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(record(this.#trailers))
    } catch {
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    }
  }
  flush(): void {}
  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk)
  }
  end(chunk: Buffer | undefined, trailers: Fields): void {
    this.#trailers = trailers
    if (chunk) this.#stream.end(chunk)
    else this.#stream.end()
    if (this.body) discard(this.body, () => this.cut())
  }
  take(): never {
    throw new Error('HTTP/2 has no upgrade')
  }
  cut(): void {
    this.#stream.close(this.#stream.writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR)
  }
  unsent(): number {
    return this.#stream.writableLength
  }
}
