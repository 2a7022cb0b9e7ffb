import type { Socket } from 'node:net'
import { peekClientHello } from '../../../lib/client-hello.ts'

/** RFC 8446 section 6.2. */
export const alert = { handshakeFailure: 40, decodeError: 50, internalError: 80, unrecognizedName: 112 } as const

/** Refuses a handshake with a fatal alert, before TLS has begun. */
export const refuseHandshake = (socket: Socket, description: number): void => {
  socket.end(Buffer.from([21, 3, 3, 0, 2, 2, description]))
  socket.resume()
}

/**
 * Reads until the whole ClientHello is there, puts everything back and says the server name (undefined: it has none). `bytes` is
 * what was read. A connection that is no TLS or stalls is ended.
 */
export const peek = (socket: Socket, timeout: number, then: (serverName: string | undefined, bytes: Buffer) => void): void => {
  let all: Buffer | undefined
  const done = () => {
    clearTimeout(timer)
    socket.off('readable', read)
    socket.off('close', done)
  }
  const timer = setTimeout(() => {
    done()
    socket.destroy()
  }, timeout)
  const read = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) {
      if (socket.readableEnded) socket.destroy()
      return
    }
    all = all ? Buffer.concat([all, chunk]) : chunk
    const seen = peekClientHello(all)
    if (seen.state === 'more') return
    done()
    if (seen.state === 'bad') refuseHandshake(socket, alert.decodeError)
    else then(seen.serverName, all)
  }
  socket.on('readable', read)
  socket.on('close', done)
}
