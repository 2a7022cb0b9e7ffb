import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ClientLimits, type ClientUsage } from './client-limits.ts'
import type { Connections } from './connections.ts'
import type { LimitedLog } from './limited-log.ts'
import type { Settings } from './options.ts'

/** Counts connections by client address, and closes those of an address that has too many. */
export const clientAdmission = ({ limits, trusts }: Settings, connections: Connections, log: LimitedLog) => {
  const clientLimits = new ClientLimits(
    {
      connections: limits.clientConnections,
      requests: limits.clientRequests,
      handshakes: limits.clientHandshakes,
      failures: limits.clientFailures,
    },
    log,
  )
  const usages = new WeakMap<Duplex, ClientUsage>()
  const release = (socket: Socket): void => {
    const usage = usages.get(socket)
    if (!usage) return
    usages.delete(socket)
    clientLimits.leave(usage)
  }
  return {
    counts: clientLimits.counts,
    /** Of the address that the connection counts for; undefined: it has no limits. */
    usage: (socket: Duplex): ClientUsage | undefined => usages.get(socket),
    /** Counts the connection for this address; false, and it is closed, where that has too many. */
    admit(socket: Socket, address: string, handshake: boolean): boolean {
      if (trusts(address)) return true
      const usage = clientLimits.connect(address, connections.size, connections.most, handshake)
      if (!usage) {
        // Costs nothing more here, and leaves nothing in the kernel.
        socket.resetAndDestroy()
        return false
      }
      usages.set(socket, usage)
      socket.once('close', () => release(socket))
      return true
    },
    /** It does not count for that address any more. */
    release,
  }
}
