/** A name server: an IP address and a port. */
export interface NameServer {
  readonly host: string
  readonly port: number
}
