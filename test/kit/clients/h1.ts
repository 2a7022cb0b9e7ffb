import type { Duplex } from 'node:stream'
import { createReader, type Reader } from './reader.ts'

export interface Answer {
  readonly status: number
  /** As they came: order, case and doubles kept. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The values of a header, joined by `, `; undefined where it is absent. */
  header(name: string): string | undefined
  readonly body: Buffer
  readonly text: string
  readonly trailers: readonly (readonly [name: string, value: string])[]
}
export interface Read {
  /** The request was HEAD: no body follows whatever the headers say. */
  readonly head?: boolean
  /** Gets the body as it comes; `body` is then empty. */
  readonly sink?: (chunk: Buffer) => void
  /** Called with status and headers before the body is read. */
  readonly started?: (answer: Omit<Answer, 'body' | 'text' | 'trailers'>) => void
}
/** HTTP/1.1 to the byte: what is written is what is sent, and answers are read one by one (RFC 9112). */
export interface Http1 extends Reader {
  readonly socket: Duplex
  /** Resolves when the system took the bytes. */
  send(data: string | Uint8Array): Promise<void>
  /** The next answer, an interim one (1xx) included. */
  answer(read?: Read): Promise<Answer>
  /** Sends a request of this head, with `Content-Length` where there is a body, and reads the final answer. */
  request(line: string, headers?: Record<string, string>, body?: string | Uint8Array, read?: Read): Promise<Answer>
  close(): void
}

export const http1 = (socket: Duplex): Http1 => {
  const reader = createReader(socket)
  const send = (data: string | Uint8Array) =>
    new Promise<void>((done, fail) => {
      socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, (error) => (error ? fail(error) : done()))
    })
  const answer = (read: Read = {}) => readAnswer(reader, read)
  return {
    ...reader,
    get received() {
      return reader.received
    },
    socket,
    send,
    answer,
    request: async (line: string, headers: Record<string, string> = {}, body?: string | Uint8Array, read: Read = {}) => {
      const head = { ...headers, ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }) }
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
      await send(`${line} HTTP/1.1\r\n${lines.join('')}\r\n`)
      // An answer may come, and the connection close, before the body is taken.
      if (body !== undefined) send(body).catch(() => undefined)
      for (;;) {
        const got = await answer({ ...read, ...(line.startsWith('HEAD ') && { head: true }) })
        if (got.status >= 200 || got.status === 101) return got
      }
    },
    close: () => void socket.destroy(),
  }
}

const readAnswer = async (reader: Reader, { head = false, sink, started }: Read): Promise<Answer> => {
  const first = await reader.line()
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1])
  if (Number.isNaN(status)) throw new Error(`not an HTTP/1 answer: ${JSON.stringify(first)}`)
  const headers = await fields(reader)
  const header = (name: string) => fieldValue(headers, name)
  started?.({ status, headers, header })
  const bodiless = head || status < 200 || status === 204 || status === 304
  const chunked = header('transfer-encoding')?.toLowerCase().endsWith('chunked') ?? false
  const length = header('content-length')
  const { body, trailers } = bodiless
    ? { body: Buffer.alloc(0), trailers: [] }
    : chunked
      ? await readChunks(reader, sink)
      : { body: await (length === undefined ? reader.rest(sink) : reader.take(Number(length), sink)), trailers: [] }
  return { status, headers, header, body, text: body.toString(), trailers }
}

const readChunks = async (reader: Reader, sink?: (chunk: Buffer) => void) => {
  const kept: Buffer[] = []
  for (;;) {
    const size = Number.parseInt(await reader.line(), 16)
    if (Number.isNaN(size)) throw new Error('a chunk without a size')
    if (size === 0) return { body: Buffer.concat(kept), trailers: await fields(reader) }
    const chunk = await reader.take(size, sink)
    kept.push(chunk)
    if ((await reader.line()) !== '') throw new Error('a chunk longer than its size')
  }
}

const fields = async (reader: Reader) => {
  const all: [string, string][] = []
  for (;;) {
    const line = await reader.line()
    if (line === '') return all
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`not a header field: ${JSON.stringify(line)}`)
    all.push([line.slice(0, colon), line.slice(colon + 1).trim()])
  }
}

/** The values of a field, joined; undefined where it is absent. */
export const fieldValue = (headers: readonly (readonly [string, string])[], name: string): string | undefined => {
  const values = headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}
