import { backendAddress, parseBackend } from '../backend.ts'

/** What a route file is made of. */
export interface Leaving {
  readonly id: string
  readonly host: string
  readonly passthrough: boolean
  readonly backends: readonly string[]
  /** The gateway's domain, where the host is a name under it. */
  readonly zone?: string
}

/**
 * The document of a route as the Go module writes and reads it, for Traefik 2: its keys, its names, its two resolvers, and nothing that
 * only this gateway or a newer Traefik knows. `https://ip:port` of what is passed through becomes the `ip:port` that it dials.
 */
export const leftDocument = ({ id, host, passthrough, backends, zone }: Leaving): object => {
  const servers = backends.map((text) => (passthrough ? { address: addressOf(text) } : { url: text }))
  const part = {
    routers: {
      [`${id}-route`]: {
        rule: `${passthrough ? 'HostSNI' : 'Host'}(\`${host}\`)`,
        service: id,
        tls: passthrough ? { passthrough: 'true' } : certificateOf(host, zone),
      },
    },
    services: { [id]: { loadbalancer: { servers } } },
  }
  return passthrough ? { tcp: part } : { http: part }
}

const certificateOf = (host: string, zone: string | undefined) =>
  zone === undefined
    ? { certResolver: 'resolver', domains: [{ main: host }] }
    : { certResolver: 'dnsresolver', domains: [{ sans: [`*.${zone}`] }] }

const addressOf = (text: string): string => {
  const backend = parseBackend(text, true)
  return typeof backend === 'string' ? text : backendAddress(backend)
}
