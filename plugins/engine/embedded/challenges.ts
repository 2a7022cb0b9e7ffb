import type { ServerResponse } from 'node:http'
import { GatewayError, type HttpChallenge } from '../../../core/index.ts'

const folder = '/.well-known/acme-challenge/'

/** What stands behind the path of an http-01 challenge (RFC 8555 section 8.3), known or not; `undefined`: another path. */
export const challengeToken = (target: string): string | undefined => {
  const path = target.split('?', 1)[0] ?? ''
  return path.startsWith(folder) ? path.slice(folder.length) : undefined
}

export const answerChallenge = (res: ServerResponse, proof: string, close: boolean): void => {
  res.shouldKeepAlive = res.shouldKeepAlive && !close
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': proof.length, 'cache-control': 'no-store' })
  res.end(proof)
}

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
