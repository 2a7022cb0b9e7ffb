import { join } from 'node:path'
import { GatewayError } from '../core/errors.ts'
import { defaultRoot } from './place.ts'

/** The flags of every command that asks a running gateway. */
export const connectionFlags = {
  json: { type: 'boolean', description: 'Answer in JSON' },
  root: { type: 'string', valueHint: 'folder', description: 'Root of the gateway to ask (or GATEWAY_ROOT)' },
  socket: {
    type: 'string',
    valueHint: 'path',
    description: 'Its unix socket (or GATEWAY_SOCKET; default: gateway.sock in the root)',
  },
  url: { type: 'string', valueHint: 'url', description: 'Its HTTP API, instead of the socket (or GATEWAY_URL)' },
  token: { type: 'string', valueHint: 'token', description: 'Token for --url (better GATEWAY_TOKEN: others can see flags)' },
} as const

export interface ConnectionFlags {
  readonly root?: string | undefined
  readonly socket?: string | undefined
  readonly url?: string | undefined
  readonly token?: string | undefined
}

/** Where a gateway answers. `name` is what messages call it. */
export type Place = { readonly name: string } & (
  | { readonly socketPath: string }
  | { readonly url: URL; readonly token: string | undefined }
)

/** A flag goes before every variable; among each, the URL before the socket before the root. Throws BAD_REQUEST. */
export const placeOf = (flags: ConnectionFlags, env: NodeJS.ProcessEnv = process.env): Place => {
  const token = flags.token ?? (env.GATEWAY_TOKEN || undefined)
  if (flags.url !== undefined) return remote(flags.url, token)
  if (flags.socket !== undefined) return local(flags.socket)
  if (flags.root !== undefined) return local(join(flags.root, 'gateway.sock'))
  if (env.GATEWAY_URL) return remote(env.GATEWAY_URL, token)
  if (env.GATEWAY_SOCKET) return local(env.GATEWAY_SOCKET)
  return local(join(env.GATEWAY_ROOT || defaultRoot(env), 'gateway.sock'))
}

const local = (socketPath: string): Place => ({ name: socketPath, socketPath })

const remote = (text: string, token: string | undefined): Place => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password)
    throw new GatewayError(
      'BAD_REQUEST',
      `--url ${JSON.stringify(text)} is no http or https URL`,
      'write it as http://127.0.0.1:8070',
    )
  return { name: url.origin, url, token }
}
