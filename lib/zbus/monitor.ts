import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type Broker, brokerOf, retryDelay } from './broker.ts'

export interface MonitorOptions {
  /** `unix:///path` or `tcp://[password@]host:port`. */
  readonly broker: string | Broker
  /** A command of any client of this Redis, its name in lower case first. `wanted` chose it. */
  readonly heard: (command: readonly Buffer[]) => void
  /** By name and first argument, before the rest is decoded: most of what a Redis does is of no interest. */
  readonly wanted: (name: string, key: string) => boolean
  /** Undefined: it listens; a text: it does not, and why. */
  readonly listening: (trouble: string | undefined) => void
  readonly signal: AbortSignal
}

/** A longer line is no request of anybody's. */
const longest = 64 << 20

/**
 * Hears what all clients of a Redis do (MONITOR), and does nothing itself: AUTH, where there is a password, and MONITOR are all that it
 * ever sends. Comes back by itself; what happened meanwhile is not heard. Ends with `signal`.
 */
export const monitor = async (options: MonitorOptions): Promise<void> => {
  const { signal, listening } = options
  const broker = brokerOf(options.broker)
  for (let tries = 1; !signal.aborted; tries++) {
    const why = await listen(broker, options, () => {
      tries = 0
      listening(undefined)
    })
    if (signal.aborted) return
    listening(why)
    await wait(retryDelay(Math.max(1, tries)), undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** Until the connection ends; resolves with why. */
const listen = (broker: Broker, { heard, wanted, signal }: MonitorOptions, up: () => void) =>
  new Promise<string>((done) => {
    const { path, host = '127.0.0.1', port = 6379, password } = broker
    const socket: Socket = path === undefined ? connect({ host, port, keepAlive: true }) : connect({ path })
    const end = () => void socket.destroy()
    let why = 'Redis closed the connection'
    // AUTH is answered too.
    let missing = password === undefined ? 1 : 2
    signal.addEventListener('abort', end, { once: true })
    socket.setTimeout(5_000, () => socket.destroy(new Error('Redis does not answer')))
    socket.once('connect', () => {
      if (password !== undefined) socket.write(command('AUTH', password))
      socket.write(command('MONITOR'))
    })
    const lines = splitLines((line) => {
      if (line[0] === 0x2d) return void socket.destroy(new Error(`Redis says: ${line.subarray(1, 200).toString('latin1')}`))
      if (line[0] !== 0x2b) return
      if (line.length > 1 && line[1] !== undefined && isDigit(line[1])) return take(line, wanted, heard)
      if (--missing !== 0) return
      socket.setTimeout(0)
      up()
    })
    socket.on('data', lines)
    socket.on('error', (error) => {
      why = error.message
    })
    socket.once('close', () => {
      signal.removeEventListener('abort', end)
      done(why)
    })
  })

const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** Redis escapes what is in a line, so that its end is one. */
const splitLines = (line: (bytes: Buffer) => void) => {
  let parts: Buffer[] = []
  let size = 0
  return (chunk: Buffer) => {
    let at = 0
    for (let end = chunk.indexOf(0x0a, at); end !== -1; end = chunk.indexOf(0x0a, at)) {
      const last = chunk.subarray(at, end)
      const whole = parts.length === 0 ? last : Buffer.concat([...parts, last])
      if (size <= longest) line(whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole)
      parts = []
      size = 0
      at = end + 1
    }
    if (at === chunk.length) return
    size += chunk.length - at
    if (size > longest) parts = []
    else parts.push(chunk.subarray(at))
  }
}

/** `+1700000000.123456 [0 127.0.0.1:50000] "RPUSH" "key" "\x81..."`. */
const take = (line: Buffer, wanted: MonitorOptions['wanted'], heard: MonitorOptions['heard']): void => {
  const read = words(line, line.indexOf('] "') + 2)
  const first = read.next().value
  const second = read.next().value
  if (first === undefined || second === undefined) return
  const name = first.toString('latin1').toLowerCase()
  if (wanted(name, second.toString('latin1'))) heard([Buffer.from(name), second, ...read])
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 }

/** The quoted words from `at` on, as the bytes that they stand for. */
function* words(line: Buffer, at: number): Generator<Buffer, undefined> {
  while (line[at] === 0x22) {
    const end = closing(line, at + 1)
    if (end === -1) return
    yield unquote(line.subarray(at + 1, end))
    // A quote and a blank.
    at = end + 2
  }
}

const closing = (line: Buffer, from: number): number => {
  for (let at = from; at < line.length; at++) {
    if (line[at] === 0x22) return at
    if (line[at] === 0x5c) at++
  }
  return -1
}

const unquote = (quoted: Buffer): Buffer => {
  if (!quoted.includes(0x5c)) return quoted
  const bytes = Buffer.allocUnsafe(quoted.length)
  let size = 0
  for (let at = 0; at < quoted.length; at++) {
    const byte = quoted[at] ?? 0
    if (byte !== 0x5c) bytes[size++] = byte
    else {
      const kind = String.fromCharCode(quoted[++at] ?? 0)
      if (kind === 'x') {
        bytes[size++] = Number.parseInt(quoted.toString('latin1', at + 1, at + 3), 16)
        at += 2
      } else bytes[size++] = escapes[kind] ?? kind.charCodeAt(0)
    }
  }
  return bytes.subarray(0, size)
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
