import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Node ends connections by timers that run before anything is read: where this process stood still, the requests of its clients wait, and
 * their time is over all the same. Here what has come is read first. Says what to do with a head that is late: `then`, unless it has come.
 */
export const lateHeads = (server: Server): ((socket: Duplex, then: () => void) => void) => {
  const late = new Set<Duplex>()
  const came = ({ socket }: { socket: Socket }) => {
    if (late.size > 0) late.delete(socket)
  }
  server.prependListener('request', came)
  server.prependListener('checkContinue', came)
  server.prependListener('upgrade', came)
  // Idle between two requests. With a listener it is not Node that ends it.
  server.on('timeout', (socket) => {
    const before = socket.bytesRead
    setImmediate(() => {
      if (socket.bytesRead === before) socket.destroy()
    })
  })
  return (socket, then) => {
    late.add(socket)
    setImmediate(() => {
      if (late.delete(socket)) then()
    })
  }
}
