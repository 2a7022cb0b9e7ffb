import { DnsWriter, definePlugin, GatewayError, knownOptions } from '../../../core/index.ts'
import { type DnsFailure, denied } from '../../../lib/dns/failure.ts'
import { parseServer } from '../../../lib/dns/propagation.ts'
import { type RemoteOptions, remoteWriter, secretOf, type TxtRecord, wrongRemote, wrongSecret } from '../../../lib/dns/remote.ts'
import type { Secret } from '../../../lib/secret.ts'
import { shown } from '../../../lib/shown.ts'
import { algorithms } from './tsig.ts'

export interface Rfc2136Options extends RemoteOptions {
  /** The primary name server: an IP address, with a port where it is not 53. */
  readonly server: string
  readonly key: {
    readonly name: string
    /** Default `hmac-sha256`. */
    readonly algorithm?: keyof typeof algorithms
    /** Base64, as `tsig-keygen` and `keymgr` print it. */
    readonly secret: Secret
  }
}

/** Writes the records by dynamic updates (RFC 2136), signed by TSIG (RFC 8945): BIND, Knot, PowerDNS, Windows and whatever else takes them. */
export const rfc2136 = (options: Rfc2136Options) => {
  knownOptions('rfc2136', options, { zones: true, timeout: true, propagation: true, server: true, key: true })
  const { server, key } = checked(options)
  return definePlugin({
    name: 'dns-provider/rfc2136',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup({ endpoints }) {
      endpoints.declare([{ host: server.host, port: server.port }])
      const act = async (action: 'add' | 'delete', { name, value }: TxtRecord, signal: AbortSignal): Promise<void> => {
        const { update } = await import('./update.ts')
        await update(server, { ...key, secret: await base64Of(key.secret) }, { do: action, name, value }, signal)
      }
      const remote = {
        put: (record: TxtRecord, signal: AbortSignal) => act('add', record, signal),
        take: (record: TxtRecord, signal: AbortSignal) => act('delete', record, signal),
      }
      return { api: { dns: remoteWriter(options, remote, asError) } }
    },
  })
}

const base64Of = async (secret: Secret): Promise<Buffer> => {
  const text = await secretOf(secret)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw denied('the secret of the TSIG key is not base64', 'copy it as tsig-keygen printed it')
  return Buffer.from(text, 'base64')
}
const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: Rfc2136Options) => {
  const { server: text, key } = options
  const server = typeof text === 'string' ? parseServer(text) : undefined
  const { name, algorithm = 'hmac-sha256', secret } = key ?? {}
  const isName = typeof name === 'string' && /^(?:[A-Za-z0-9_-]{1,63}\.?){1,20}$/.test(name)
  const wrong =
    wrongRemote(options) ??
    (server
      ? undefined
      : { wrong: `server is ${shown(JSON.stringify(text) ?? 'missing')}`, fix: "give an IP address such as '192.0.2.1'" }) ??
    (isName ? undefined : { wrong: 'key.name is no name', fix: 'give the name of the key as the name server knows it' }) ??
    (Object.hasOwn(algorithms, algorithm)
      ? undefined
      : { wrong: 'key.algorithm is unknown', fix: `give one of ${Object.keys(algorithms).join(', ')}` }) ??
    wrongSecret('key.secret', secret)
  if (wrong || !server) throw new GatewayError('CONFIG_INVALID', `rfc2136: ${wrong?.wrong}`, wrong?.fix ?? '')
  return { server, key: { name: name.replace(/\.$/, ''), algorithm, secret } }
}
