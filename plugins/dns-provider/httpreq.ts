import { DnsWriter, definePlugin, endpointsOfUrl, GatewayError, knownOptions } from '../../core/index.ts'
import { call } from '../../lib/dns/call.ts'
import { DnsFailure, unavailable } from '../../lib/dns/failure.ts'
import {
  type RemoteOptions,
  remoteWriter,
  secretOf,
  type TxtRecord,
  wrongRemote,
  wrongSecret,
  wrongUrl,
} from '../../lib/dns/remote.ts'
import type { Secret } from '../../lib/secret.ts'
import { shown } from '../../lib/shown.ts'

export interface HttpreqOptions extends RemoteOptions {
  /** Its `/present` and `/cleanup` are POSTed to. */
  readonly endpoint: string
  /** Of HTTP basic authentication. */
  readonly username?: string
  readonly password?: Secret
  /** `raw`: sends `domain token keyAuth` instead of `fqdn value`. Only where the gateway itself orders. */
  readonly mode?: 'raw'
}

/** Has any HTTP server put the records up and take them away, by the convention of lego's httpreq provider. */
export const httpreq = (options: HttpreqOptions) => {
  knownOptions('httpreq', options, {
    zones: true,
    timeout: true,
    propagation: true,
    endpoint: true,
    username: true,
    password: true,
    mode: true,
  })
  const { endpoint, username, password, mode } = checked(options)
  return definePlugin({
    name: 'dns-provider/httpreq',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup({ endpoints }) {
      endpoints.declare(endpointsOfUrl(endpoint))
      const post = async (action: 'present' | 'cleanup', record: TxtRecord, signal: AbortSignal): Promise<void> => {
        const secret = password && (await secretOf(password))
        const basic = secret === undefined ? undefined : Buffer.from(`${username}:${secret}`).toString('base64')
        const { status, said } = await call({
          method: 'POST',
          url: new URL(`${endpoint.replace(/\/+$/, '')}/${action}`),
          body: mode === 'raw' ? rawBody(record) : { fqdn: `${record.name}.`, value: record.value },
          headers: basic === undefined ? {} : { authorization: `Basic ${basic}` },
          secrets: [secret, basic].flatMap((text) => text ?? []),
          signal,
        })
        if (status >= 400) throw unavailable(`the DNS provider refuses the record: ${said}`, 'see what that server wants')
      }
      const remote = {
        put: (record: TxtRecord, signal: AbortSignal) => post('present', record, signal),
        take: (record: TxtRecord, signal: AbortSignal) => post('cleanup', record, signal),
      }
      return { api: { dns: remoteWriter(options, remote, asError) } }
    },
  })
}

const rawBody = ({ proof }: TxtRecord): object => {
  if (!proof)
    throw new DnsFailure(
      'BAD_REQUEST',
      "httpreq in mode 'raw' needs token and key authorization, which were not given",
      'have the gateway itself order, or leave `mode` out',
    )
  return { domain: proof.domain, token: proof.token, keyAuth: proof.keyAuthorization }
}
const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: HttpreqOptions): HttpreqOptions => {
  const { endpoint, username, password, mode } = options
  const wrong =
    wrongRemote(options) ??
    wrongUrl('endpoint', endpoint) ??
    (password === undefined ? undefined : wrongSecret('password', password)) ??
    ((username === undefined) === (password === undefined)
      ? undefined
      : { wrong: 'username and password go together', fix: 'give both or none' }) ??
    (mode === undefined || mode === 'raw'
      ? undefined
      : { wrong: `mode is '${shown(String(mode))}'`, fix: "give 'raw', or leave it out" })
  if (wrong) throw new GatewayError('CONFIG_INVALID', `httpreq: ${wrong.wrong}`, wrong.fix)
  return options
}
