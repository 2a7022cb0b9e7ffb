import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Ends the connections of a server on which no request ever came, as browsers open ahead of need: `closeIdleConnections` takes them
 * for busy until their first head has had its time.
 */
export const unusedConnections = (server: Server): { end(): void } => {
  const unused = new Set<Socket>()
  const used = ({ socket }: { socket: Socket }) => void unused.delete(socket)
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.prependListener('request', used)
  server.prependListener('checkContinue', used)
  server.prependListener('upgrade', used)
  return {
    end: () => {
      for (const socket of unused) socket.destroySoon()
    },
  }
}
