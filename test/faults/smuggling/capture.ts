import { createServer, type Socket } from 'node:net'
import { type Backend, listen } from '../../kit/backends/listen.ts'
import { defer } from '../../kit/engine/world.ts'

/** One request as it stood on the wire. */
interface Seen {
  readonly target: string
  readonly head: string
}
/** A backend of bytes: it reads as strictly as the standard has it, answers each request with its own target, and keeps whatever could be read in two ways. */
export interface Capture extends Backend {
  readonly requests: readonly Seen[]
  /** Heads and bodies that another server could read otherwise. */
  readonly doubtful: readonly string[]
}

export const capture = async (): Promise<Capture> => {
  const requests: Seen[] = []
  const doubtful: string[] = []
  const server = createServer({ noDelay: true }, (socket) => read(socket, requests, doubtful))
  const made = await listen(server, {})
  defer(made.close)
  return { ...made, requests, doubtful }
}

const headLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t ]?[\t\x20-\x7e\x80-\xff]*$/
const requestLine = /^([A-Z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.1$/

const read = (socket: Socket, requests: Seen[], doubtful: string[]) => {
  let bytes = ''
  socket.setEncoding('latin1')
  socket.on('error', () => undefined)
  socket.on('data', (chunk: string) => {
    bytes += chunk
    try {
      for (let next = take(bytes); next; next = take(bytes)) {
        bytes = bytes.slice(next.length)
        requests.push(next.seen)
        const page = next.seen.target
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${next.method === 'HEAD' ? '' : page}`, 'latin1')
      }
    } catch (error) {
      doubtful.push(`${error instanceof Error ? error.message : error}: ${JSON.stringify(bytes.slice(0, 300))}`)
      socket.destroy()
    }
  })
}

/** The first whole request of these bytes; throws at what is not plain. */
const take = (bytes: string): { readonly seen: Seen; readonly method: string; readonly length: number } | undefined => {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.slice(0, end)
  const [first = '', ...lines] = head.split('\r\n')
  const [, method = '', target = ''] = requestLine.exec(first) ?? fail('no request line')
  const values = (name: string) =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim())
  if (!lines.every((line) => headLine.test(line))) fail('a line that is none')
  const [hosts, lengths, codings] = [values('host'), values('content-length'), values('transfer-encoding')]
  if (hosts.length !== 1) fail('not one host')
  if (lengths.length + codings.length > 1) fail('two ends')
  const seen = { target, head }
  const body = end + 4
  if (codings.length > 0) {
    if (codings[0] !== 'chunked') fail('a coding')
    const length = chunked(bytes, body)
    return length === undefined ? undefined : { seen, method, length }
  }
  if (lengths[0] !== undefined && !/^[0-9]+$/.test(lengths[0])) fail('a length')
  const length = body + Number(lengths[0] ?? 0)
  return bytes.length < length ? undefined : { seen, method, length }
}

const chunked = (bytes: string, from: number): number | undefined => {
  for (let at = from; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const line = bytes.slice(at, end)
    if (!/^[0-9a-f]+$/i.test(line)) fail('a chunk size')
    const size = Number.parseInt(line, 16)
    at = end + 2 + size
    if (size === 0) return trailers(bytes, end + 2)
    if (bytes.length < at + 2) return undefined
    if (bytes.slice(at, at + 2) !== '\r\n') fail('the end of a chunk')
    at += 2
  }
}
const trailers = (bytes: string, from: number): number | undefined => {
  for (let at = from; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    if (end === at) return end + 2
    const line = bytes.slice(at, end)
    if (!headLine.test(line) || /^(content-length|transfer-encoding|host|connection|upgrade):/i.test(line)) fail('a trailer')
    at = end + 2
  }
}

const fail = (what: string): never => {
  throw new Error(what)
}
