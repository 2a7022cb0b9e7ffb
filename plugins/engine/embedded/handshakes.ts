import type { Socket } from 'node:net'
import { patience } from '../../../lib/patience.ts'
import type { Client } from './fields.ts'

interface Handshake {
  readonly socket: Socket
  readonly client: Client
  /** It is not late any more. */
  readonly over: () => void
}

/** The TLS handshakes under way, each of which has `time` ms. A TLS socket does not tell which connection it stands on, but it knows the addresses. */
export const handshakes = (time: number) => {
  const all = new Map<string, Handshake>()
  return {
    begin(socket: Socket, client: Client): void {
      const key = peerKey(socket)
      const handshake = { socket, client, over: patience(time, () => void socket.destroy()) }
      all.set(key, handshake)
      socket.on('close', () => {
        handshake.over()
        // The client may have called again from the same port.
        if (all.get(key) === handshake) all.delete(key)
      })
    },
    /** Whose handshake is done. */
    end(socket: Socket): { readonly socket: Socket; readonly client: Client } | undefined {
      const key = peerKey(socket)
      const handshake = all.get(key)
      all.delete(key)
      handshake?.over()
      return handshake
    },
  }
}

const peerKey = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`
