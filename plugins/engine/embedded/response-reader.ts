import { ByteBuffer } from '../../../lib/byte-buffer.ts'
import { trimBlanks } from './fields.ts'

/** How the body of an answer ends. A number: after so many bytes. */
export type Framing = number | 'chunked' | 'close'

/** What a ResponseReader tells, in this order: `info`*, `head`, `data`*, `done`; or `upgraded` once. */
export interface ResponseSink {
  info(status: number, fields: string[]): void
  /** `fields` are raw names and values by turns, Content-Length in it once at most. `framing` 0: no body follows. */
  head(status: number, reason: string, fields: string[], framing: Framing, reusable: boolean): void
  data(chunk: Buffer, last: boolean): void
  done(trailers: string[]): void
  /** 101: what follows is another protocol; `rest` is what came of it already. */
  upgraded(fields: string[], rest: Buffer): void
}

/** An answer that is not HTTP/1.1, or that could be read in two ways. */
export class BadResponse extends Error {
  override readonly name = 'BadResponse'
}

const maxHead = 65_536
const maxLine = 4_096
const headEnd = '\r\n\r\n'
const lineEnd = '\r\n'
const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const badText = /[\0-\x08\x0a-\x1f\x7f]/
const none: string[] = []
const emptyBuffer: Buffer = Buffer.alloc(0)

/** Reads the answers of one backend connection, strictly (RFC 9112): what two parsers could read in two ways is refused. */
export class ResponseReader {
  #state: 'idle' | 'head' | 'fixed' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'close' | 'raw' = 'idle'
  #sink: ResponseSink
  /** The beginning of a head or line whose end has not come. */
  readonly #kept = new ByteBuffer()
  /** How much of it was searched for its end. */
  #searched = 0
  #left = 0
  #headRequest = false
  #mayUpgrade = false

  constructor(sink: ResponseSink) {
    this.#sink = sink
  }

  /** A request goes out: its answer may come. */
  expect(headRequest: boolean, mayUpgrade: boolean): void {
    this.#state = 'head'
    this.#headRequest = headRequest
    this.#mayUpgrade = mayUpgrade
  }

  /** Throws BadResponse. */
  push(chunk: Buffer): void {
    if (this.#kept.length === 0) this.#read(chunk)
    else {
      this.#kept.append(chunk)
      const [end, most] = this.#state === 'head' ? [headEnd, maxHead] : [lineEnd, maxLine]
      if (this.#kept.bytes.indexOf(end, this.#searched) >= 0) this.#read(this.#kept.take())
      else this.#wait(most)
    }
  }

  #read(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      const state = this.#state
      if (state === 'fixed' || state === 'chunk') rest = this.#body(rest, state)
      else if (state === 'close') {
        this.#sink.data(rest, false)
        return
      } else if (state === 'head') {
        const end = rest.indexOf(headEnd)
        if (end < 0) {
          this.#kept.append(rest)
          this.#wait(maxHead)
          return
        }
        if (end > maxHead) throw tooLong()
        rest = this.#head(rest.toString('latin1', 0, end), rest.subarray(end + 4))
      } else if (state === 'idle' || state === 'raw') throw new BadResponse('it sent bytes that nobody asked for')
      else {
        const end = rest.indexOf(lineEnd)
        if (end < 0) {
          this.#kept.append(rest)
          this.#wait(maxLine)
          return
        }
        if (end > maxLine) throw tooLong()
        this.#line(rest.toString('latin1', 0, end), state)
        rest = rest.subarray(end + 2)
      }
    }
  }

  /** The backend closed. Throws BadResponse where that cuts an answer short. */
  close(): void {
    if (this.#state === 'close') this.#end(none)
    else if (this.#state !== 'idle' && this.#state !== 'raw')
      throw new BadResponse('it closed the connection before its answer was complete')
  }

  /** For more bytes: what is kept has no end. */
  #wait(most: number): void {
    if (this.#kept.length > most) throw tooLong()
    this.#searched = Math.max(0, this.#kept.length - headEnd.length + 1)
  }

  #body(rest: Buffer, state: 'fixed' | 'chunk'): Buffer {
    const chunk = rest.length > this.#left ? rest.subarray(0, this.#left) : rest
    this.#left -= chunk.length
    const last = this.#left === 0
    if (last && state === 'chunk') this.#state = 'chunk-end'
    this.#sink.data(chunk, last && state === 'fixed')
    if (last && state === 'fixed') this.#end(none)
    return rest.subarray(chunk.length)
  }

  #line(line: string, state: 'size' | 'chunk-end' | 'trailers'): void {
    if (state === 'chunk-end') {
      if (line !== '') throw new BadResponse('a chunk of its answer is longer than it says')
      this.#state = 'size'
    } else if (state === 'size') {
      const size = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line)?.[1]
      if (size === undefined) throw new BadResponse('a chunk of its answer has no proper size')
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left > 0 ? 'chunk' : 'trailers'
    } else if (line === '') this.#end(this.#trailers)
    else {
      if (this.#trailers === none) this.#trailers = []
      readField(line, this.#trailers)
      if (this.#trailers.length > 200) throw new BadResponse('its answer has too many trailers')
    }
  }
  #trailers = none

  #end(trailers: string[]): void {
    this.#state = 'idle'
    this.#trailers = none
    this.#sink.done(trailers)
  }

  #head(text: string, rest: Buffer): Buffer {
    const lines = text.split('\r\n')
    const [, minor, code, reason = ''] = statusLine.exec(lines[0] ?? '') ?? []
    if (code === undefined) throw new BadResponse('its answer is not HTTP/1.1')
    const status = Number(code)
    const fields: string[] = []
    for (let i = 1; i < lines.length; i++) readField(lines[i] ?? '', fields)
    if (status < 200) return this.#interim(status, fields, rest)
    const bodyless = this.#headRequest || status === 204 || status === 304
    const { framing, keepAlive } = readFraming(fields, bodyless, minor === '0')
    this.#state = framing === 'chunked' ? 'size' : framing === 'close' ? 'close' : 'fixed'
    this.#left = typeof framing === 'number' ? framing : 0
    this.#sink.head(status, reason, fields, framing, keepAlive && framing !== 'close')
    if (framing === 0) this.#end(none)
    return rest
  }

  #interim(status: number, fields: string[], rest: Buffer): Buffer {
    if (status !== 101) {
      this.#sink.info(status, fields)
      return rest
    }
    if (!this.#mayUpgrade) throw new BadResponse('it switched protocols without being asked')
    this.#state = 'raw'
    this.#sink.upgraded(fields, rest)
    return emptyBuffer
  }
}

const tooLong = (): BadResponse => new BadResponse('the head of its answer is too long')

const readField = (line: string, into: string[]): void => {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon)
  if (colon < 1 || !token.test(name)) throw new BadResponse('a header line of its answer is malformed')
  const value = trimBlanks(line.slice(colon + 1))
  if (badText.test(value)) throw new BadResponse('a header value of its answer is malformed')
  into.push(name, value)
}

// RFC 9112 section 6.3. Takes repeated Content-Length fields out of `fields`, and all of them beside Transfer-Encoding.
const readFraming = (fields: string[], bodyless: boolean, old: boolean): { framing: Framing; keepAlive: boolean } => {
  let length: string | undefined
  let lengths = 0
  let coding: string | undefined
  let keepAlive = !old
  for (let i = 0; i < fields.length; i += 2) {
    const size = fields[i]?.length
    if (size !== 14 && size !== 17 && size !== 10) continue
    const name = fields[i]?.toLowerCase()
    const value = fields[i + 1] ?? ''
    if (name === 'content-length') {
      if (!/^[0-9]{1,15}$/.test(value) || (length !== undefined && length !== value))
        throw new BadResponse('its answer has no proper length')
      length = value
      lengths++
    } else if (name === 'transfer-encoding') coding = coding === undefined ? value.toLowerCase() : `${coding}, ${value}`
    else if (name === 'connection') {
      const words = value.toLowerCase()
      if (words.includes('close')) keepAlive = false
      else if (old && words.includes('keep-alive')) keepAlive = true
    }
  }
  const kept = coding === undefined ? 1 : 0
  if (lengths > kept) dropLengths(fields, kept)
  if (coding !== undefined) {
    if (length !== undefined) keepAlive = false
    if (old || coding !== 'chunked')
      throw new BadResponse(`it answered with the transfer coding ${JSON.stringify(coding.slice(0, 40))}`)
    return { framing: bodyless ? 0 : 'chunked', keepAlive }
  }
  if (bodyless) return { framing: 0, keepAlive }
  return { framing: length === undefined ? 'close' : Number(length), keepAlive }
}

/** All Content-Length fields but the first `most`. */
const dropLengths = (fields: string[], most: number): void => {
  let [seen, kept] = [0, 0]
  for (let i = 0; i < fields.length; i += 2) {
    const [name = '', value = ''] = [fields[i], fields[i + 1]]
    if (name.toLowerCase() === 'content-length' && ++seen > most) continue
    fields[kept++] = name
    fields[kept++] = value
  }
  fields.length = kept
}
