import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { type Ip, parseIp } from './ip.ts'
import { classify } from './ip-class.ts'

/**
 * Whether a connection to the address ends on this machine now, in the network namespace of this process. On Linux the kernel is asked:
 * it also knows addresses of interfaces without a carrier and of local routes, which os.networkInterfaces() leaves out.
 */
export const isOwnAddress = async (ip: Ip): Promise<boolean> => {
  const kind = classify(ip)
  if (kind === 'loopback' || kind === 'unspecified') return true
  if (process.platform === 'linux' && bindsOwnOnly(ip.version)) return canBind(ip)
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => parseIp(address)?.text === ip.text))
}

/** False where Linux is set to let processes bind any address: then binding proves nothing. */
const bindsOwnOnly = (version: 4 | 6): boolean => {
  try {
    return readFileSync(`/proc/sys/net/ipv${version}/ip_nonlocal_bind`, 'latin1').trim() === '0'
  } catch {
    return false
  }
}

/** UDP, so that nobody can connect to it meanwhile; nothing is sent. */
const canBind = (ip: Ip): Promise<boolean> =>
  new Promise((done, fail) => {
    const socket = createSocket({ type: ip.version === 4 ? 'udp4' : 'udp6', ipv6Only: ip.version === 6 })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      // EINVAL: a link-local address without its interface.
      if (['EADDRNOTAVAIL', 'EINVAL', 'EAFNOSUPPORT'].includes(error.code ?? '')) done(false)
      else fail(error)
    })
    socket.bind({ address: ip.text, port: 0, exclusive: true }, () => {
      socket.close()
      done(true)
    })
  })
