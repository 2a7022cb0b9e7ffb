import type { Socket } from 'node:net'
import { type Core, GatewayError, type Listener } from '../../../core/index.ts'
import type { Where } from './options.ts'

/** Opens a port for both IP versions, or for IPv4 alone where no host was asked for and the machine has no IPv6. */
export const listenAt = async (
  core: Pick<Core, 'listen'>,
  { host, port }: Where,
  standard: number,
  accept: (socket: Socket) => void,
): Promise<Listener> => {
  const at = port ?? standard
  try {
    return await core.listen({ host: host ?? '::', port: at }, accept)
  } catch (error) {
    if (host !== undefined || !lacksIpv6(error)) throw error
    return core.listen({ host: '0.0.0.0', port: at }, accept)
  }
}

const lacksIpv6 = (error: unknown): boolean => {
  const cause = error instanceof GatewayError ? error.cause : error
  return cause instanceof Error && 'code' in cause && (cause.code === 'EAFNOSUPPORT' || cause.code === 'EADDRNOTAVAIL')
}
