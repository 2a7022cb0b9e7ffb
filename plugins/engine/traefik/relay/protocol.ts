/**
 * A workload whose TLS is passed through, its host by SNI (canonical), or with `http` one that Traefik ends TLS for, of which only requests
 * for another protocol come here; and what is dialled, an IP address and a port each.
 */
export interface RelayRoute {
  readonly id: string
  readonly host: string
  readonly http?: true
  readonly backends: readonly { readonly host: string; readonly port: number; readonly tls?: true }[]
  /** Backends are told the client's address first, by a PROXY protocol header of this version. */
  readonly sendProxy?: 'v1' | 'v2'
}
/** Times in ms: for a PROXY header and a ClientHello, for a backend to accept, and for one that failed to be left out at first. */
export interface RelaySettings {
  readonly hello: number
  readonly connect: number
  readonly retry: number
  /** ms for a backend's answer to a request for another protocol; default 300,000. */
  readonly answer?: number
  /** Networks whose addresses stand for many clients, and have no share. */
  readonly exempt?: readonly string[]
  /** Which requests are Traefik's; absent: none that come here in HTTP. */
  readonly token?: string
  /** PEM of authorities by which TLS backends are verified; absent: they are not. */
  readonly ca?: string
  /** Where Traefik's metrics are; absent: only what the relay passes is counted. */
  readonly metrics?: { readonly host: string; readonly port: number }
}
/** [workload id, bytes from the client, bytes to the client] */
export type Figure = readonly [id: string, request: number, response: number]

/** What the gateway asks over the unix socket: one JSON object a line, answered in any order. */
export type Ask =
  /** `whole`: workloads that are not in `put` are dropped. A dropped one takes no new connection; its open ones and its counter stay. */
  | {
      readonly do: 'set'
      readonly whole?: true
      readonly settings?: RelaySettings
      readonly put: readonly RelayRoute[]
      readonly drop: readonly string[]
    }
  /**
   * As dropped; open connections are cut `drain` ms later. Answered with the last figure once they are gone, and with `linger` not
   * before that time: a proxy in front counts requests of its own when they end. Without a figure where it was set again meanwhile.
   */
  | { readonly do: 'remove'; readonly id: string; readonly drain: number; readonly linger: boolean }
  /** The last figure was taken: a workload set again by this id counts from zero. */
  | { readonly do: 'forget'; readonly id: string }
  | { readonly do: 'read' }
export type Request = Ask & { readonly n: number }

export interface Answers {
  readonly set: Done
  readonly remove: { readonly last?: Figure }
  readonly forget: Done
  readonly read: { readonly epoch: string; readonly bytes: readonly Figure[] }
}
type Done = Readonly<Record<never, never>>
export type Answer = { readonly n: number } & ({ readonly failed: string } | { readonly done: Answers[keyof Answers] })
