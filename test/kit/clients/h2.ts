import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { openTcp, openTls, type Target, type Tls } from './socket.ts'

export interface Answer2 {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  readonly trailers: IncomingHttpHeaders
}
export interface Request2 {
  /** Pseudo headers too; `:method` is GET and `:path` is / by default. */
  readonly headers: Record<string, string | string[]>
  readonly body?: string | Uint8Array
  /** Sent after the body. */
  readonly trailers?: Record<string, string>
  /** Gets the body as it comes; `body` is then empty. */
  readonly sink?: (chunk: Buffer) => void
}
export interface Http2 {
  readonly session: ClientHttp2Session
  /** Sends it and reads the whole answer; rejects where the stream is reset. */
  request(request: Request2): Promise<Answer2>
  /** A stream that is left open for the caller to write to. */
  open(headers: Record<string, string | string[]>): ClientHttp2Stream
  /** When the other side said GOAWAY. */
  readonly goaway: Promise<number>
  readonly closed: Promise<void>
  close(): void
}

/** HTTP/2 over TLS (ALPN h2), or without TLS by prior knowledge where `tls` is false. */
export const openH2 = async (target: Target, tls: Tls | false): Promise<Http2> => {
  const socket = tls === false ? await openTcp(target) : await openTls(target, { alpn: ['h2'], ...tls })
  if ('alpnProtocol' in socket && socket.alpnProtocol !== 'h2') {
    socket.destroy()
    throw new Error(`the server chose ${String(socket.alpnProtocol)} and not h2`)
  }
  return http2(socket, tls === false ? '127.0.0.1' : (tls.name ?? '127.0.0.1'), tls === false ? 'http' : 'https')
}

/** The same on a connection that is open already. */
export const http2 = async (socket: Duplex, host: string, scheme: 'http' | 'https' = 'https'): Promise<Http2> => {
  // Answers with any head are taken.
  const unlimited = { maxHeaderListPairs: 100_000, settings: { maxHeaderListSize: 1_048_576 } }
  const session = connect(`${scheme}://${host}`, { createConnection: () => socket, ...unlimited })
  session.on('error', () => undefined)
  const closed = once(session, 'close').then(() => {
    throw new Error('the connection closed before its settings came')
  })
  await Promise.race([once(session, 'remoteSettings'), closed])
  const open: Http2['open'] = (headers) => session.request({ ':method': 'GET', ':path': '/', ':authority': host, ...headers })
  return {
    session,
    open,
    request: async ({ headers, body, trailers, sink }) => {
      const stream = session.request(
        { ':method': 'GET', ':path': '/', ':authority': host, ...headers },
        { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
      )
      if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      if (body !== undefined || trailers !== undefined) stream.end(body)
      return readAnswer2(stream, sink)
    },
    goaway: new Promise((done) => session.once('goaway', done)),
    closed: new Promise((done) => session.once('close', () => done())),
    close: () => session.destroy(),
  }
}

/** The whole answer of a stream; rejects where it is reset. */
export const readAnswer2 = (stream: ClientHttp2Stream, sink?: (chunk: Buffer) => void): Promise<Answer2> =>
  new Promise((done, fail) => {
    let headers: IncomingHttpHeaders | undefined
    let trailers: IncomingHttpHeaders = {}
    const kept: Buffer[] = []
    stream.once('response', (got) => {
      headers = got
    })
    stream.once('trailers', (got) => {
      trailers = got
    })
    stream.on('data', (chunk: Buffer) => (sink === undefined ? kept.push(chunk) : sink(chunk)))
    stream.once('error', fail)
    stream.once('close', () => {
      if (headers === undefined || stream.rstCode !== 0) return fail(new Error(`stream ended with code ${stream.rstCode}`))
      const body = Buffer.concat(kept)
      done({ status: Number(headers[':status']), headers, body, text: body.toString(), trailers })
    })
  })
