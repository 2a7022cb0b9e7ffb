import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { reason } from '../../../core/index.ts'
import { clientAddress } from '../../../lib/client-address.ts'
import { never } from '../../../lib/patience.ts'
import { type Connected, proxyHeader } from '../../../lib/proxy-protocol.ts'
import { alert, connectedBy, peekServerName, refuseHandshake, takeProxyHeader } from '../../../lib/tls-front.ts'
import type { Access } from './access-log.ts'
import { BufferBudget, type ConnectionBuffers } from './buffer-budget.ts'
import type { Certificates } from './certificates.ts'
import { answerChallenge, challengeToken } from './challenges.ts'
import { clientAdmission } from './client-admission.ts'
import type { ClientLimits } from './client-limits.ts'
import { Connections } from './connections.ts'
import type { Descriptors } from './descriptors.ts'
import type { Exchange } from './exchange.ts'
import type { Client } from './fields.ts'
import { Flight } from './flight.ts'
import type { FlightDeck } from './flight-deck.ts'
import { handshakes } from './handshakes.ts'
import { http1Server } from './http1.ts'
import { http2Server } from './http2.ts'
import { limitedLog } from './limited-log.ts'
import type { Settings } from './options.ts'
import { answerWith } from './pages.ts'
import { Passthrough, type PassthroughDeck } from './passthrough.ts'
import { redirectServer } from './redirect.ts'
import { isGrpc } from './request-head.ts'
import { restingConnections } from './resting.ts'
import { shares } from './shares.ts'
import type { Entry, Table } from './table.ts'
import { hostKey } from './target.ts'
import { Turns } from './turns.ts'

interface Given {
  readonly settings: Settings
  readonly table: Table
  readonly certificates: Certificates
  /** The answer to an http-01 challenge. */
  readonly challenge: (token: string) => string | undefined
  /** True: the connection was a CA's that asks for a tls-alpn-01 challenge. */
  readonly takeChallenge: (socket: Socket, host: string, protocols: readonly string[]) => boolean
  readonly log: (message: string, fields?: object) => void
  readonly access: ((access: Access) => void) | undefined
  /** The https port that clients know. */
  readonly port: () => number
  readonly descriptors: Descriptors
}
export interface Serving {
  acceptHttp(socket: Socket): void
  acceptHttps(socket: Socket): void
  readonly connections: Connections
  /** How often each limit of a client address was met. */
  readonly limited: ClientLimits['counts']
  /** Lets what runs end, up to the drain time, then cuts. */
  close(): Promise<void>
}

type Accept = (socket: Socket, connected: Connected, buffers: ConnectionBuffers) => void

// Milliseconds without a byte after which a connection is idle: clients may have a request on its way when they are told to go.
const grace = 300
// A handshake takes about a millisecond, and a turn in which a connection is accepted about a tenth of that.
const handshakesInTurn = 2
const turnsBetween = 12

/** All servers of the engine, wired together: who gets a connection, and who a request. */
export const startServing = ({
  settings,
  table,
  certificates,
  challenge,
  takeChallenge,
  log: unlimited,
  access,
  port,
  descriptors,
}: Given): Serving => {
  const { limits } = settings
  const log = limitedLog(unlimited, 5, 20)
  const ms = (seconds: number) => seconds * 1_000
  const connections = new Connections(limits.connections, ms(limits.stallSeconds), descriptors)
  const clients = new WeakMap<Duplex, Client>()
  const admission = clientAdmission(settings, connections, limitedLog(unlimited, 1, 10))
  const bufferLimits = { connection: limits.connectionBufferBytes, address: limits.addressBufferBytes, total: limits.bufferBytes }
  const budget = new BufferBudget(bufferLimits, (address, reason) =>
    log(`closed a connection of ${address}: ${reason}`, { client: address }, address),
  )
  const unknownClient: Client = { ...nobody, buffers: budget.open(nobody.address, true, () => {}) }
  const handshakeTurns = new Turns(handshakesInTurn, turnsBetween)
  const shaking = handshakes(ms(limits.handshakeSeconds))
  let stopping = false
  const handshaken = shares(limits.tenantConnections)
  const requests = shares(limits.tenantRequests)

  const deck: FlightDeck & PassthroughDeck = {
    limits: {
      bodyBytes: limits.bodyBytes,
      bodyTime: ms(limits.bodySeconds),
      responseTime: ms(limits.responseSeconds),
      stallTime: ms(limits.stallSeconds),
      tunnelTime: ms(limits.tunnelIdleSeconds),
      halfClosedTime: ms(limits.halfClosedSeconds),
    },
    tunnelTime: ms(limits.tunnelIdleSeconds),
    halfClosedTime: ms(limits.halfClosedSeconds),
    access,
    complain: (awake, message, status) => {
      awake.log ??= limitedLog(unlimited, 5)
      awake.log(message, { workload: awake.id, host: awake.route.host, ...(status && { status }) })
    },
    tunnelled: (socket) => connections.open.tunnel(socket),
    began: (awake, flow) => table.began(awake, flow),
    countedLate: (awake) => table.note(awake),
    ended: (awake, flow) => {
      requests.leave(awake.tenant)
      flow.usage?.leave()
      table.ended(awake, flow)
    },
    overHttp2: ({ fields, upgrade }) => !upgrade && (settings.h2c === 'always' || (settings.h2c === 'grpc' && isGrpc(fields))),
    preface: (connected) => settings.preface && proxyHeader(settings.preface, connected),
  }

  const serve = (exchange: Exchange): void => {
    const { authority, client } = exchange
    const token = client.secure ? undefined : challengeToken(exchange.target)
    const entry = table.byHost(authority) ?? table.byHost(hostKey(authority))
    if (token !== undefined) answerChallenge(exchange, challenge(token))
    else if (!entry) answerWith(exchange, client.usage?.fail() === false ? 429 : 404)
    // RFC 9110 section 15.5.20: the connection was made for another host.
    else if (entry.route.tls.mode !== 'terminate' || (client.secure && client.serverName !== entry.route.host))
      answerWith(exchange, client.usage?.fail() === false ? 429 : 421)
    else if (client.usage?.enter() === false) answerWith(exchange, 429)
    else {
      const awake = table.wake(entry)
      if (requests.enter(awake.tenant, client.usage?.requests)) new Flight(deck, awake, exchange).start()
      else {
        client.usage?.leave()
        answerWith(exchange, 503)
      }
    }
  }

  const client = (socket: Duplex): Client => clients.get(socket) ?? unknownClient
  const http1Limits = {
    headerBytes: limits.headerBytes,
    headerTime: ms(limits.headerSeconds),
    bodyTime: ms(limits.bodySeconds),
    idleTime: ms(limits.idleSeconds),
  }
  const http1 = http1Server({ limits: http1Limits, client, serve, stopping: () => stopping })
  const http2 = http2Server({
    limits: {
      headerBytes: limits.headerBytes,
      headerTime: ms(limits.headerSeconds),
      idleTime: ms(limits.idleSeconds),
      streams: limits.streams,
      controlFrames: limits.controlFrames,
    },
    serve,
    opened: (session, socket) => connections.addSession(session, socket),
    log,
  })
  const redirect = redirectServer({
    limits: http1Limits,
    knows: (host) => table.byHost(host) !== undefined,
    port,
    stopping: () => stopping,
    hold: (socket, bytes) => client(socket).buffers.add(bytes),
    challenge,
    failed: (socket) => void admission.usage(socket)?.fail(),
  })

  const resting = [http1, redirect].map(restingConnections)

  const tls = createTlsServer({
    ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'],
    handshakeTimeout: never,
    minVersion: settings.minVersion,
    SNICallback: (serverName, done) => {
      const certificate = certificates.find(hostKey(serverName))
      try {
        if (certificate) done(null, certificates.context(certificate))
        else done(new Error('there is no certificate for it'))
      } catch (error) {
        const message = `the certificate for ${serverName} cannot be used: ${reason(error)}`
        log(message, { host: serverName, certificate: certificate?.id }, certificate?.id)
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })
  tls.on('secureConnection', (socket: TLSSocket) => {
    const shaken = shaking.end(socket)
    const client = shaken?.client ?? unknownClient
    if (shaken) connections.open.secured(shaken.socket, socket)
    socket.allowHalfOpen = true
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2') http2(socket, client)
    else {
      clients.set(socket, client)
      http1.emit('connection', socket)
    }
  })
  tls.on('tlsClientError', (_error, socket) => {
    socket.destroy()
  })

  const acceptTls = (
    socket: Socket,
    host: string,
    { source: { address }, destination }: Connected,
    buffers: ConnectionBuffers,
  ): void => {
    if (!certificates.find(host)) {
      log(
        `refused a TLS handshake for ${host}: there is no certificate for it`,
        { host, client: address },
        clientAddress(address),
      )
      admission.usage(socket)?.fail()
      refuseHandshake(socket, alert.unrecognizedName)
      return
    }
    const tenant = table.byHost(host)?.route.tenant ?? ''
    const usage = admission.usage(socket)
    if (!handshaken.enter(tenant, usage?.connections)) {
      refuseHandshake(socket, alert.internalError)
      return
    }
    socket.on('close', () => handshaken.leave(tenant))
    const port = String(settings.publicHttpsPort ?? destination.port)
    shaking.begin(socket, {
      address,
      secure: true,
      port,
      trusted: settings.trusts(address),
      usage,
      serverName: host,
      socket,
      buffers,
    })
    // Who stops sending before the handshake is done wants nothing more.
    socket.allowHalfOpen = false
    handshakeTurns.take(clientAddress(address), () => {
      if (!socket.destroyed) tls.emit('connection', socket)
    })
  }
  const pass = (entry: Entry, socket: Socket, connected: Connected, buffers: ConnectionBuffers): void => {
    const awake = table.wake(entry)
    const usage = admission.usage(socket)
    if (usage?.enter() === false) refuseHandshake(socket, alert.internalError)
    else if (requests.enter(awake.tenant, usage?.requests))
      new Passthrough(deck, awake, socket, connected, usage, buffers).start()
    else {
      usage?.leave()
      refuseHandshake(socket, alert.internalError)
    }
  }
  const acceptSecure = (socket: Socket, connected: Connected, buffers: ConnectionBuffers): void =>
    peekServerName(socket, ms(limits.handshakeSeconds), (serverName, protocols) => {
      const host = serverName === undefined ? undefined : hostKey(serverName)
      if (host !== undefined && takeChallenge(socket, host, protocols)) return
      const entry = host === undefined ? undefined : table.byHost(host)
      if (entry?.route.tls.mode === 'passthrough') pass(entry, socket, connected, buffers)
      else if (host === undefined) {
        admission.usage(socket)?.fail()
        refuseHandshake(socket, alert.unrecognizedName)
      } else acceptTls(socket, host, connected, buffers)
    })
  const acceptPlain = (socket: Socket, { source: { address }, destination }: Connected, buffers: ConnectionBuffers): void => {
    const port = String(destination.port)
    const usage = admission.usage(socket)
    clients.set(socket, {
      address,
      secure: false,
      port,
      trusted: settings.trusts(address),
      usage,
      serverName: undefined,
      socket,
      buffers,
    })
    if (settings.redirect) redirect.emit('connection', socket)
    else http1.emit('connection', socket)
  }
  const opened = (socket: Socket, connected: Connected, then: Accept): void => {
    const { address } = connected.source
    const buffers = budget.open(address, settings.trusts(address), () => socket.destroy())
    socket.on('close', () => buffers.close())
    then(socket, connected, buffers)
  }
  const accept = (handshake: boolean, then: Accept) => (socket: Socket) => {
    const connected = connectedBy(socket)
    const { address } = connected.source
    const proxied = settings.proxied(address)
    if (!admission.admit(socket, address, handshake && !proxied) || !connections.add(socket)) return
    if (!proxied) return opened(socket, connected, then)
    takeProxyHeader(socket, ms(limits.handshakeSeconds), (said) => {
      // From here on it is the announced client's.
      admission.release(socket)
      if (admission.admit(socket, said.source.address, handshake)) opened(socket, said, then)
    })
  }

  const close = async (): Promise<void> => {
    stopping = true
    closeIdle()
    const sweep = setInterval(() => setImmediate(closeIdle), Math.max(1, Math.min(grace, settings.drain)))
    await connections.idle(settings.drain)
    clearInterval(sweep)
    connections.cut()
    for (const awake of table.awake()) {
      for (const flow of [...awake.open]) flow.cut()
      for (const backend of awake.backends.all) backend.close()
    }
    // They run timers, and hold nothing else.
    for (const server of [http1, redirect]) server.close(() => {})
  }
  const closeIdle = () => {
    for (const connections of resting) connections.end()
    connections.goAway()
  }
  return {
    acceptHttp: accept(false, acceptPlain),
    acceptHttps: accept(true, acceptSecure),
    connections,
    limited: admission.counts,
    close,
  }
}

const nobody: Omit<Client, 'buffers'> = { address: '0.0.0.0', secure: true, port: '443', trusted: false, serverName: undefined }
