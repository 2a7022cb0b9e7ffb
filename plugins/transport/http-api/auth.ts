import { createHash, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../../../core/index.ts'
import { isWrite } from './guard.ts'
import type { Settings } from './options.ts'

/** Lets a request through whose bearer token (RFC 6750) has the scope it needs, and returns the token. Throws UNAUTHORIZED or FORBIDDEN. */
export const authorize = (request: Request, tokens: Settings['tokens']): Settings['tokens'][number] | undefined => {
  if (tokens.length === 0) return undefined
  const [, given] = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(request.headers.get('authorization') ?? '') ?? []
  if (!given) throw new GatewayError('UNAUTHORIZED', 'the request has no bearer token', 'send Authorization: Bearer <token>')
  const token = find(given, tokens)
  if (!token)
    throw new GatewayError(
      'UNAUTHORIZED',
      'the token is not known',
      'make one with `gateway token` and add its hash to the config',
    )
  if (token.expires <= Date.now())
    throw new GatewayError('UNAUTHORIZED', 'the token has expired', 'make a new one with `gateway token`')
  if (isWrite(request) && token.scope !== 'write')
    throw new GatewayError('FORBIDDEN', 'the token may only read', "use a token of scope 'write'")
  return token
}

/** Compares with every hash, in constant time, so that the time tells nothing about any of them. */
const find = (given: string, tokens: Settings['tokens']): Settings['tokens'][number] | undefined => {
  const hash = createHash('sha256').update(given).digest()
  return tokens.filter((token) => timingSafeEqual(token.hash, hash))[0]
}
