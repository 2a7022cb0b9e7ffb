import { Resolver } from 'node:dns'
import { GatewayError } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'

export interface DoctorOptions {
  /** Recursive name servers to ask, as CAs have their own: `1.1.1.1`, `[2606:4700::1111]:53`. The system's by default. */
  readonly nameServers?: readonly string[]
  /** The ports that clients know; 80 and 443 by default. */
  readonly http?: number
  readonly https?: number
  /** Of authoritative name servers; 53 by default, and elsewhere than in a test always. */
  readonly dnsPort?: number
}
export interface Settings {
  readonly nameServers: readonly string[]
  readonly http: number
  readonly https: number
  readonly port: number
}

/** Throws CONFIG_INVALID. */
export const readOptions = ({ nameServers = [], http = 80, https = 443, dnsPort = 53 }: DoctorOptions): Settings => {
  for (const [key, port] of Object.entries({ http, https, dnsPort }))
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw invalid(`${key} is ${shown(String(port))}`, 'give a port from 1 to 65535')
  try {
    new Resolver().setServers([...nameServers])
  } catch {
    throw invalid(`nameServers are ${shown(JSON.stringify(nameServers))}`, 'give IP addresses, with a port where it is not 53')
  }
  return { nameServers, http, https, port: dnsPort }
}

const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `doctor: ${what}`, fix)
