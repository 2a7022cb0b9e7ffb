import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { closeAtOnce } from '../../../lib/lingering-close.ts'

/** Of a connection that carries a message, in place of the bytes read of it. */
const busy = -1

/**
 * Ends idle connections of a server, those on which no request ever came too. Node's own `closeIdleConnections` ends one whose answer has
 * just left, to which the next request is on its way.
 */
export const restingConnections = (server: Server): { end(): void } => {
  /** With the bytes that had come of each at the last look. */
  const open = new Map<Socket, number | undefined>()
  server.on('connection', (socket) => {
    open.set(socket, undefined)
    socket.once('close', () => open.delete(socket))
  })
  // It is another protocol's from now on.
  server.on('upgrade', ({ socket }) => void open.delete(socket))
  return {
    /** Ends those that were idle at the last call, and of which nothing has come since. */
    end: () => {
      for (const [socket, before] of open) {
        // Node says on the socket which answer it is writing.
        const now = '_httpMessage' in socket && socket._httpMessage ? busy : socket.bytesRead
        if (now === before && now !== busy) closeAtOnce(socket)
        else open.set(socket, now)
      }
    },
  }
}
