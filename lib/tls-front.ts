import type { Socket } from 'node:net'
import { ByteBuffer } from './byte-buffer.ts'
import { ClientHelloReader } from './client-hello.ts'
import { lingeringClose } from './lingering-close.ts'
import { patience } from './patience.ts'
import { type Connected, readProxyHeader } from './proxy-protocol.ts'

/** RFC 8446 section 6.2. */
export const alert = { decodeError: 50, internalError: 80, unrecognizedName: 112 } as const

/** Refuses a handshake with a fatal alert, before TLS has begun. */
export const refuseHandshake = (socket: Socket, description: number): void => {
  lingeringClose(socket, Buffer.from([21, 3, 3, 0, 2, 2, description]))
}

/** Who is at the other end of a connection, by what the socket or a PROXY header says. */
export const connectedBy = (socket: Socket): Connected => ({
  source: { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 },
  destination: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
})

/** Says with which byte a connection begins, and puts it back. One that says nothing in time is ended. */
export const peekFirstByte = (socket: Socket, timeout: number, then: (byte: number | undefined) => void): void =>
  readAhead(socket, timeout, (_chunk, all) => () => {
    const bytes = all.take()
    socket.unshift(bytes)
    then(bytes[0])
  })

/** Takes the PROXY header off a connection that has to begin with one. One without it, or too slow with it, is ended. */
export const takeProxyHeader = (socket: Socket, timeout: number, then: (connected: Connected) => void): void =>
  readAhead(socket, timeout, (_chunk, all) => {
    const header = readProxyHeader(all.bytes)
    if (header.state === 'more') return undefined
    if (header.state === 'bad') return () => socket.destroy()
    return () => {
      const bytes = all.take()
      if (header.length < bytes.length) socket.unshift(bytes.subarray(header.length))
      then(header.connected ?? connectedBy(socket))
    }
  })

/** Reads until the whole ClientHello is there, puts everything back and says the server name (undefined: it has none) and the protocols of ALPN. What is no TLS, or stalls, is ended. */
export const peekServerName = (
  socket: Socket,
  timeout: number,
  then: (serverName: string | undefined, protocols: readonly string[]) => void,
): void => {
  const reader = new ClientHelloReader()
  readAhead(socket, timeout, (chunk, all) => {
    const hello = reader.push(chunk)
    if (hello.state === 'more') return undefined
    if (hello.state === 'bad') return () => refuseHandshake(socket, alert.decodeError)
    return () => {
      socket.unshift(all.take())
      then(hello.serverName, hello.protocols)
    }
  })
}

/** `look` gets each piece, and all of them so far; it returns what to do once it has seen enough. */
const readAhead = (socket: Socket, timeout: number, look: (chunk: Buffer, all: ByteBuffer) => (() => void) | undefined): void => {
  const all = new ByteBuffer()
  const done = () => {
    callOff()
    socket.off('readable', read)
    socket.off('end', cut)
    socket.off('close', done)
  }
  const cut = () => {
    done()
    socket.destroy()
  }
  const callOff = patience(timeout, cut)
  const read = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    all.append(chunk)
    const found = look(chunk, all)
    if (!found) return
    done()
    found()
  }
  socket.on('readable', read)
  socket.on('end', cut)
  socket.on('close', done)
}

/** An address as it is written everywhere: IPv4 as such where a socket of both versions saw it. */
const plainAddress = (address: string | undefined): string => (address ?? '0.0.0.0').replace(/^::ffff:(?=[0-9.]+$)/, '')
