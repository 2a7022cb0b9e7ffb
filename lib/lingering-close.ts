import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { timeAwake } from './patience.ts'

/** Milliseconds that a peer has to read the last bytes and to close its side. */
const lingerTime = 5_000

interface Closing {
  readonly since: number
  /** Bytes that had not left at that time. */
  readonly unsent: number
}

/** In the order of `since`: all have the same time, so only the first ones can be due. */
const closing = new Map<Duplex, Closing>()
let sweeping: NodeJS.Timeout | undefined

/**
 * Ends a connection: sends `last` and FIN, discards what the peer still sends without parsing it, and destroys the socket after
 * `lingerTime`. Closed at once, a socket with unread input is reset, and the peer may lose the last answer.
 */
export const lingeringClose = (socket: Duplex, last?: string | Buffer): void => {
  closeWithin(socket)
  if (!socket.writable) return
  if (typeof last === 'string') socket.end(last, 'latin1')
  else if (last) socket.end(last)
  else socket.end()
}

/** The same for a caller that ends the sending side itself, after what it has queued. */
export const closeWithin = (socket: Duplex): void => {
  if (socket.destroyed || closing.has(socket)) return
  discardInput(socket)
  wait(socket)
  socket.once('close', forget)
}

/** Reads on and parses nothing: whoever read the socket before gets no more of it. */
export const discardInput = (socket: Duplex): void => {
  socket.removeAllListeners('data')
  socket.removeAllListeners('readable')
  // A new listener also takes the socket from a parser of Node that reads from its handle.
  socket.on('data', discard)
  socket.resume()
}

/** Has Node end the connections of an HTTP server in this way after their last answer. */
export const lingerAfterLastAnswer = (server: Server): void => {
  server.on('connection', (socket) => {
    socket.destroySoon = destroySoon
  })
}

/** Sends what is queued and FIN, then destroys the socket without waiting for the peer. */
export const closeAtOnce = (socket: Socket): void => {
  if (socket.writable) socket.end(() => socket.destroy())
  else socket.destroy()
}

const discard = () => {}
function destroySoon(this: Socket): void {
  lingeringClose(this)
}
function forget(this: Duplex): void {
  closing.delete(this)
}

const wait = (socket: Duplex): void => {
  closing.set(socket, { since: timeAwake(), unsent: socket.writableLength })
  sweeping ??= setInterval(() => setImmediate(sweep), 500).unref()
}

const sweep = (): void => {
  const now = timeAwake()
  for (const [socket, { since, unsent }] of closing) {
    if (now - since < lingerTime) return
    closing.delete(socket)
    // Who still reads a long last answer gets the rest of it.
    if (socket.writableLength > 0 && socket.writableLength < unsent) wait(socket)
    else socket.destroy()
  }
  clearInterval(sweeping)
  sweeping = undefined
}
