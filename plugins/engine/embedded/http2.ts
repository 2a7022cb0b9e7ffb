import type { Duplex } from 'node:stream'
import { clientAddress } from '../../../lib/client-address.ts'
import type { Exchange } from './exchange.ts'
import type { Client } from './fields.ts'
import { errorCode } from './h2/codes.ts'
import { type Http2Limits, Session } from './h2/session.ts'
import type { LimitedLog } from './limited-log.ts'

interface Given {
  readonly limits: Http2Limits
  serve(exchange: Exchange): void
  /** A connection is there; it is over when its socket closes. */
  opened(session: { goAway(): void }, socket: Duplex): void
  readonly log: LimitedLog
}

/** Serves HTTP/2 on connections whose TLS handshake is done. */
export const http2Server =
  ({ limits, serve, opened, log }: Given): ((socket: Duplex, client: Client) => void) =>
  (socket, client) => {
    const session = new Session({
      socket,
      client,
      limits,
      serve,
      ended: (reason, code) => {
        if (code === errorCode.calm || code === errorCode.internal)
          log(`closed an HTTP/2 connection: ${reason}`, { client: client.address }, clientAddress(client.address))
      },
    })
    opened(session, socket)
  }
