import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { canonicalHost } from '../../../../lib/host.ts'
import { lingeringClose } from '../../../../lib/lingering-close.ts'
import type { FlowPlaces, WaitingPlaces } from './places.ts'
import type { Table } from './table.ts'
import { Upgrade } from './upgrade.ts'

/** By this field Traefik shows that a request comes from it, and that what the request says of the client is true. */
export const relayField = 'X-Gateway-Relay'

/** ms for a backend's answer where the gateway names no time. */
const answerTime = 300_000

interface Places {
  readonly waiting: WaitingPlaces
  readonly flows: FlowPlaces
}
/** Takes connections on which Traefik sends requests that are to become another protocol; returns what a connection is given to. */
export const openUpgrades = (table: Table, { waiting, flows }: Places): ((socket: Socket) => void) => {
  const options = { keepAliveTimeout: 0, maxHeaderSize: 256 << 10, maxRequestsPerSocket: 1 }
  const server = createServer(options, (_, response) => response.writeHead(404, { connection: 'close' }).end())
  server.on('clientError', (_, socket) => socket.destroy())
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const { token, exempt, answer = answerTime } = table.settings
    const host = canonicalHost((request.headers.host ?? '').replace(/:\d*$/, ''))
    const workload = host === undefined ? undefined : table.byHost(host)
    if (token === undefined || !same(request.headers[relayField.toLowerCase()], token) || workload?.route?.http !== true)
      return refuse(socket, '404 Not Found')
    // What follows the head would be the body for one and the other protocol for the other.
    if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined)
      return refuse(socket, '400 Bad Request')
    if (!flows.enter(clientOf(request), socket, exempt)) return refuse(socket, '503 Service Unavailable')
    waiting.leave(socket)
    new Upgrade(workload, request, without(request.rawHeaders, relayField.toLowerCase()), socket, head, answer)
  })
  return (socket) => {
    server.emit('connection', socket)
    socket.resume()
  }
}

/** Who asked, as Traefik says it. */
const clientOf = ({ headers, socket }: IncomingMessage): string => {
  const { 'x-real-ip': client } = headers
  return typeof client === 'string' ? client : (socket.remoteAddress ?? '')
}

const refuse = (socket: Socket, status: string): void =>
  lingeringClose(socket, `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)

const same = (given: string | string[] | undefined, token: string): boolean => {
  const [a, b] = [Buffer.from(typeof given === 'string' ? given : ''), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}
const without = (fields: readonly string[], field: string): readonly string[] =>
  fields.filter((_, at) => fields[at - (at % 2)]?.toLowerCase() !== field)
