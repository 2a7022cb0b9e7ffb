import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type PeerCertificate } from 'node:tls'
import type { Finding } from '../../../core/index.ts'
import { covers } from '../../../lib/host.ts'

export interface Door {
  readonly host: string
  readonly addresses: readonly string[]
  readonly port: number
  readonly signal: AbortSignal
}
const patience = 5_000
const inside = 'it was tried from this machine, and the way from outside may differ'

/** Whether port 80 of each address speaks HTTP, which http-01 needs. */
export const checkHttp = async ({ addresses, port, ...door }: Door): Promise<Finding> => {
  const tried = await Promise.all(addresses.map((address) => statusOf({ ...door, address, port })))
  const wrong = tried.filter((said) => typeof said === 'string')
  if (wrong.length > 0)
    return {
      check: 'port-80',
      state: 'bad',
      seen: wrong.join('; '),
      fix: `let TCP port ${port} through to this gateway; ${inside}`,
    }
  return { check: 'port-80', state: 'ok', seen: `${addresses.join(', ')} answered over HTTP on port ${port}` }
}

const statusOf = ({ host, address, port, signal }: Omit<Door, 'addresses'> & { address: string }): Promise<number | string> =>
  new Promise((resolve) => {
    const asked = request({
      host: address,
      port,
      path: '/.well-known/acme-challenge/gateway-doctor',
      headers: { host, connection: 'close' },
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    })
    asked.on('response', (answer) => resolve(answer.resume().statusCode ?? 0))
    asked.on('error', (error) =>
      resolve(`${address} port ${port}: ${error.name === 'TimeoutError' ? 'no answer' : error.message}`),
    )
    asked.end()
  })

/** What port 443 of each address shows for the host. */
export const checkHttps = async ({ host, addresses, port, signal }: Door): Promise<Finding> => {
  const tried = await Promise.all(addresses.map((address) => certificateOf(host, address, port, signal)))
  const wrong = tried.filter((said) => typeof said === 'string')
  if (wrong.length > 0)
    return {
      check: 'port-443',
      state: 'bad',
      seen: wrong.join('; '),
      fix: `let TCP port ${port} through to this gateway; ${inside}`,
    }
  const shown = tried.filter((said) => typeof said === 'object')
  const other = shown.find(({ names }) => !names.some((name) => covers(name, host)))
  if (other)
    return {
      check: 'port-443',
      state: 'warn',
      seen: `port ${port} has ${other.names.length > 0 ? `a certificate for ${other.names.join(', ')}, not` : 'no certificate'} for ${host}`,
      fix: `\`gateway certs\` says what became of the certificate for ${host}; without a workload there is none`,
    }
  const [first] = shown
  return {
    check: 'port-443',
    state: 'ok',
    seen: `port ${port} shows a certificate for ${first?.names.join(', ')}, by ${first?.issuer}, until ${first?.until}`,
  }
}

interface Shown {
  readonly names: readonly string[]
  readonly issuer: string
  readonly until: string
}
const nothing: Shown = { names: [], issuer: '', until: '' }
const certificateOf = async (host: string, address: string, port: number, signal: AbortSignal): Promise<Shown | string> => {
  const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false })
  const late = AbortSignal.any([signal, AbortSignal.timeout(patience)])
  try {
    await once(socket, 'secureConnect', { signal: late })
    return shownIn(socket.getPeerCertificate())
  } catch (error) {
    signal.throwIfAborted()
    // Somebody there speaks TLS, and has no certificate for this name.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_SSL')) return nothing
    return `${address} port ${port}: ${late.aborted ? 'no TLS handshake' : error instanceof Error ? error.message : String(error)}`
  } finally {
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

const shownIn = ({ subjectaltname = '', issuer, valid_to }: PeerCertificate): Shown => ({
  names: [...subjectaltname.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase()),
  issuer: [issuer?.O ?? issuer?.CN ?? 'nobody'].flat().join(' '),
  until: valid_to,
})
