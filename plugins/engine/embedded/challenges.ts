import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import { GatewayError, type HttpChallenge, type TlsAlpnChallenge } from '../../../core/index.ts'
import { never, patience } from '../../../lib/patience.ts'
import type { Exchange } from './exchange.ts'
import { answerWith } from './pages.ts'

const folder = '/.well-known/acme-challenge/'

/** What stands behind the path of an http-01 challenge (RFC 8555 section 8.3), known or not; `undefined`: another path. */
export const challengeToken = (target: string): string | undefined => {
  const path = target.split('?', 1)[0] ?? ''
  return path.startsWith(folder) ? path.slice(folder.length) : undefined
}

/** The proof, or 404 for a token that is not known now: nothing below that path is a backend's. */
export const answerChallenge = (exchange: Exchange, proof: string | undefined): void => {
  if (proof === undefined) return void answerWith(exchange, 404)
  exchange.respond(200, '', fieldsOf(proof), { bodyless: false, trailers: false })
  exchange.end(Buffer.from(proof), [])
}
/** The same where requests are redirected otherwise. */
export const answerPlainly = (res: ServerResponse, proof: string, close: boolean): void => {
  res.shouldKeepAlive = res.shouldKeepAlive && !close
  res.writeHead(200, fieldsOf(proof))
  res.end(proof)
}
const fieldsOf = (proof: string): string[] => [
  'Content-Type',
  'application/octet-stream',
  'Content-Length',
  String(proof.length),
  'Cache-Control',
  'no-store',
]

/** The challenges of which the answers are known now. `open`: whether there is a port of plain HTTP to answer on. */
export const httpChallenges = (open: boolean): HttpChallenge & { answer(token: string): string | undefined } => {
  const known = new Map<string, string>()
  return {
    present(token, keyAuthorization) {
      if (!open)
        throw new GatewayError(
          'CHALLENGE_UNREACHABLE',
          'http-01 challenges cannot be answered: engine/embedded has no http port',
          "give it one, or use httpResolver({ challenge: 'tls-alpn-01' })",
        )
      if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new GatewayError('BAD_REQUEST', 'the token is not base64url', 'ask the CA')
      known.set(token, keyAuthorization)
    },
    cleanup: (token) => void known.delete(token),
    answer: (token) => known.get(token),
  }
}

const protocol = 'acme-tls/1'

/** Answers handshakes of CAs for tls-alpn-01 (RFC 8737 section 3): nothing but the certificate is shown, and the connection is ended. */
export const alpnChallenges = (handshakeTime: number): TlsAlpnChallenge & Answerer => {
  const known = new Map<string, { readonly chain: string; readonly key: string }>()
  const server = createServer({
    ALPNProtocols: [protocol],
    handshakeTimeout: never,
    SNICallback: (serverName, done) => {
      const { chain: cert, key } = known.get(serverName.toLowerCase()) ?? {}
      if (cert === undefined) done(new Error('it has no challenge'))
      else done(null, createSecureContext({ cert, key }))
    },
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    socket.end()
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return {
    present: (domain, certificate) => void known.set(domain, certificate),
    cleanup: (domain) => void known.delete(domain),
    take(socket, host, protocols) {
      if (protocols.length !== 1 || protocols[0] !== protocol || !known.has(host)) return false
      socket.allowHalfOpen = false
      const over = patience(handshakeTime, () => socket.destroy())
      socket.once('close', over)
      server.emit('connection', socket)
      return true
    },
  }
}
interface Answerer {
  /** True: the connection is a CA's, and is dealt with. */
  take(socket: Socket, host: string, protocols: readonly string[]): boolean
}
