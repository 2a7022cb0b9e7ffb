import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls'

export interface Target {
  readonly port: number
  /** An address. Default 127.0.0.1. */
  readonly host?: string
  /** Local address to call from, such as 127.0.0.9. */
  readonly from?: string
  /** Sent first, before TLS: a PROXY protocol header. */
  readonly before?: Uint8Array
}
export interface Tls {
  /** The server name to ask for; absent: none is sent. */
  readonly name?: string
  /** PEM of what is trusted; absent: everything is. */
  readonly ca?: string
  readonly alpn?: readonly string[]
  readonly min?: SecureVersion
  readonly max?: SecureVersion
  /** Groups of key exchange to offer, such as X25519MLKEM768; absent: OpenSSL's own. */
  readonly groups?: string
  /** Stands between TLS and the network, to send a handshake in odd pieces. */
  readonly through?: (socket: Socket) => Duplex
}

/** A connected socket; rejects where nobody takes the call. */
export const openTcp = async ({ port, host = '127.0.0.1', from, before }: Target): Promise<Socket> => {
  const socket = connect({ port, host, noDelay: true, ...(from !== undefined && { localAddress: from }) })
  await once(socket, 'connect')
  // Whoever uses the socket hears of its errors through its own listeners; none must bring the process down.
  socket.on('error', () => undefined)
  if (before !== undefined) socket.write(before)
  return socket
}

/** A socket that has finished its handshake; rejects with the alert where the handshake fails. */
export const openTls = async (target: Target, { name, ca, alpn, min, max, groups, through }: Tls = {}): Promise<TLSSocket> => {
  const tcp = await openTcp(target)
  const socket = connectTls({
    socket: through === undefined ? tcp : through(tcp),
    ...(name !== undefined && { servername: name }),
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
    ...(min !== undefined && { minVersion: min }),
    ...(max !== undefined && { maxVersion: max }),
    ...(groups !== undefined && { ecdhCurve: groups }),
    // OpenSSL's own client refuses what is older than TLS 1.2 unless it is told not to mind.
    ...(min !== undefined && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
    // Trust is checked against the name asked for; without one there is nothing to check it against.
    ...(name === undefined && { checkServerIdentity: () => undefined }),
  })
  const failed = Promise.withResolvers<never>()
  socket.once('error', failed.reject)
  tcp.once('close', () => failed.reject(new Error('connection closed during the TLS handshake')))
  try {
    await Promise.race([once(socket, 'secureConnect'), failed.promise])
  } catch (error) {
    tcp.destroy()
    throw error
  }
  failed.promise.catch(() => undefined)
  socket.on('error', () => undefined)
  return socket
}
