import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** TCP ports where the gateway, one of its processes or a server that only the gateway may use accepts connections. */
export interface OwnEndpoint {
  /** IP address; absent: any address of this machine. */
  readonly host?: string
  readonly port: number
  /** The last port of a range that begins with `port`; absent: `port` alone. */
  readonly lastPort?: number
}

/** What plugins declared about themselves, and what they listen on through the core. Policies refuse these as backends. */
export const ownEndpoints = (listening: () => Iterable<OwnEndpoint>) => {
  const declared = new Map<object, readonly OwnEndpoint[]>()
  return {
    /** Replaces what this owner declared before, until `signal` aborts. */
    declare(owner: object, endpoints: readonly OwnEndpoint[], signal: AbortSignal): void {
      if (signal.aborted) return
      if (!declared.has(owner)) signal.addEventListener('abort', () => void declared.delete(owner), { once: true })
      declared.set(owner, endpoints)
    },
    all: (): readonly OwnEndpoint[] => [...listening(), ...[...declared.values()].flat()],
  }
}

/** A server of the gateway's own, by its IP address or host name. A name is resolved once; one that does not resolve is none. */
export const endpointsOf = async (host: string, port: number): Promise<readonly OwnEndpoint[]> => {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare)) return [{ host: bare, port }]
  const found = await lookup(bare, { all: true }).catch(() => [])
  return found.map(({ address }) => ({ host: address, port }))
}

/** The server of a URL with an IP address or `localhost`. Of another name nothing: its addresses may be shared with servers of others. */
export const endpointsOfUrl = (url: string): readonly OwnEndpoint[] => {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const at = Number(port) || (protocol === 'https:' ? 443 : 80)
  if (host === 'localhost') return [{ port: at }]
  return isIP(host) ? [{ host, port: at }] : []
}
