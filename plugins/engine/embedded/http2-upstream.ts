import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { heldBy } from './buffer-budget.ts'
import type { Fields } from './fields.ts'
import { mostFields, mostHead, record } from './request-head.ts'
import type { Asker, Upstream } from './wire.ts'

/** One request to a backend over HTTP/2: a stream of the connection that all its requests share. */
export class Http2Call implements Upstream {
  #stream: ClientHttp2Stream
  #asker: Asker | undefined
  #trailers: Fields = []
  #begun = false
  /** Its last frame said that it was the last. */
  #complete = false

  constructor(session: ClientHttp2Session, asker: Asker, head: Record<string, string | string[]>, complete: boolean) {
    this.#asker = asker
    this.#stream = session.request(head, { endStream: complete, waitForTrailers: !complete })
    const stream = this.#stream
    stream.on('headers', (_headers, _flags, raw) => this.#try(() => this.#info(raw)))
    stream.on('response', (_headers, flags, raw) =>
      this.#try(() => this.#head(raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0)),
    )
    stream.on('data', (chunk: Buffer) => this.#data(chunk))
    stream.on('trailers', (_headers, _flags, raw) => {
      this.#trailers = raw
      this.#complete = true
    })
    stream.on('drain', () => this.#asker?.drained())
    stream.on('end', () => this.#ended())
    stream.on('error', (error) => this.#fail(error))
    stream.on('close', () => this.#fail(new Error(`it closed the stream, error code ${stream.rstCode}`)))
  }

  /** Its session serves no other call. */
  closesSession(session: ClientHttp2Session): void {
    this.#stream.once('close', () => session.close())
  }
  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk)
  }
  end(trailers: Fields): void {
    this.#stream.once('wantTrailers', () => this.#try(() => this.#stream.sendTrailers(record(trailers))))
    this.#stream.end()
  }
  get held(): number {
    return heldBy(this.#stream)
  }
  pause(): void {
    this.#stream.pause()
  }
  resume(): void {
    this.#stream.resume()
  }
  abort(): void {
    this.#asker = undefined
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  #data(chunk: Buffer): void {
    try {
      this.#asker?.data(chunk, false)
    } catch (error) {
      this.#broken(error)
    }
  }
  #info(raw: Fields): void {
    const { status, fields } = split(raw)
    this.#asker?.info(status, fields)
    this.#asker?.settled()
  }
  #head(raw: Fields, ended: boolean): void {
    const { status, fields } = split(raw)
    this.#asker?.head(status, '', fields, ended ? 0 : 'chunked', true)
    this.#begun = true
    if (ended) this.#done()
    else this.#asker?.settled()
  }
  // Node ends the answer of a stream that is reset with NO_ERROR or CANCEL as if all of it had come.
  #ended(): void {
    const cut = !this.#begun || (this.#stream.rstCode !== 0 && !this.#complete)
    if (cut) this.#fail(new Error(`it reset the stream before its answer was complete, error code ${this.#stream.rstCode}`))
    else this.#try(() => this.#done())
  }
  // What Node or the asker throws at is the fault of what the backend sent, and ends this call and nothing else.
  #try(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#broken(error)
    }
  }
  #broken(error: unknown): void {
    this.#fail(error instanceof Error ? error : new Error(String(error)))
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }
  #done(): void {
    const asker = this.#asker
    this.#asker = undefined
    asker?.done(this.#trailers)
  }
  #fail(error: Error): void {
    const asker = this.#asker
    this.#asker = undefined
    asker?.failed(error)
  }
}

const split = (raw: Fields): { status: number; fields: Fields } => {
  let status = 502
  const fields: Fields = []
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i] === ':status') status = Number(raw[i + 1])
    else if (!raw[i]?.startsWith(':')) fields.push(raw[i] ?? '', raw[i + 1] ?? '')
  }
  return { status, fields }
}

/** The one HTTP/2 connection to a backend, opened when first needed and again when it went away. Those who ask meanwhile wait for the same. */
export class SharedSession<Failure extends Error> {
  #session: ClientHttp2Session | undefined
  #waiting: ((result: ClientHttp2Session | Failure) => void)[] = []
  #open: (done: (result: Socket | Failure) => void) => void
  #idleTime: number

  constructor(open: (done: (result: Socket | Failure) => void) => void, idleTime: number) {
    this.#open = open
    this.#idleTime = idleTime
  }

  get(done: (result: ClientHttp2Session | Failure) => void): void {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) {
      done(this.#session)
      return
    }
    this.#waiting.push(done)
    if (this.#waiting.length === 1) this.#open((result) => this.#opened(result))
  }
  close(): void {
    this.#session?.close()
    this.#session = undefined
  }

  #opened(result: Socket | Failure): void {
    const waiting = this.#waiting.splice(0)
    const session = result instanceof Error ? result : this.#start(result)
    for (const done of waiting) done(session)
  }
  #start(socket: Socket): ClientHttp2Session {
    // `strictSingleValueFields` is not in the types yet: without it Node throws at a field that a client sent twice.
    const options = {
      createConnection: () => socket,
      settings: { enablePush: false },
      maxHeaderListPairs: mostFields,
      maxSendHeaderBlockLength: mostHead,
      strictSingleValueFields: false,
    }
    const session = connect('http://backend', options)
    session.on('error', () => {})
    // Its running streams go on; who comes next gets another connection.
    session.on('goaway', () => {
      if (this.#session === session) this.#session = undefined
    })
    session.setTimeout(this.#idleTime, () => session.close())
    this.#session = session
    return session
  }
}
