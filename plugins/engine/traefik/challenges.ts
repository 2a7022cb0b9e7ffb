import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { GatewayError, type HttpChallenge, reason } from '../../../core/index.ts'
import type { Settings } from './settings.ts'

/** The path of http-01 challenges (RFC 8555 section 8.3), with all that is below it. */
export const challengeFolder = '/.well-known/acme-challenge/'

/** Answers http-01 challenges of certificates that the gateway gets; Traefik sends to `url` whoever asks for one. */
export interface Challenges extends HttpChallenge {
  readonly url: string | undefined
  close(): Promise<void>
}

/** Listens on a loopback port where the gateway gets the certificates, and nowhere else. */
export const openChallenges = async ({ issue, netns }: Pick<Settings, 'issue' | 'netns'>): Promise<Challenges> => {
  const known = new Map<string, string>()
  const server = issue === 'gateway' && netns === undefined ? await listen(known) : undefined
  return {
    url: server?.url,
    present(token, keyAuthorization) {
      if (!server) throw unanswered(netns)
      if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new GatewayError('BAD_REQUEST', 'the token is not base64url', 'ask the CA')
      known.set(token, keyAuthorization)
    },
    cleanup: (token) => void known.delete(token),
    close: async () => server?.close(),
  }
}

const listen = async (known: ReadonlyMap<string, string>): Promise<{ url: string; close(): void }> => {
  const server = createServer((req, res) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? ''
    const proof = path.startsWith(challengeFolder) ? known.get(path.slice(challengeFolder.length)) : undefined
    if (proof === undefined) res.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
    else res.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' }).end(proof)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening').catch((error) => {
    throw new GatewayError('LISTEN_FAILED', `cannot answer challenges: ${reason(error)}`, 'see why no loopback port is to be had')
  })
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => void server.close().closeAllConnections() }
}

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const unanswered = (netns: string | undefined): GatewayError =>
  netns === undefined
    ? new GatewayError(
        'CHALLENGE_UNREACHABLE',
        'Traefik gets the certificates itself',
        "traefik({ issue: 'gateway' }) has the gateway get them",
      )
    : new GatewayError(
        'CHALLENGE_UNREACHABLE',
        `http-01 challenges cannot be answered in the network namespace ${netns}`,
        'have Traefik get these certificates, or prove the names over dns-01',
      )
