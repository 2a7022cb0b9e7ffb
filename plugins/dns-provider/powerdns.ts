import { DnsWriter, definePlugin, endpointsOfUrl, GatewayError, knownOptions } from '../../core/index.ts'
import { type Called, call, listOf, member } from '../../lib/dns/call.ts'
import { type DnsFailure, unavailable } from '../../lib/dns/failure.ts'
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

export interface PowerdnsOptions extends RemoteOptions {
  /** Its web server: `http://127.0.0.1:8081`. */
  readonly api: string
  readonly key: Secret
  /** The name of the server within the API; `localhost` by default, the only one that PowerDNS itself has. */
  readonly serverId?: string
}

/** Writes the records into a PowerDNS Authoritative Server by its HTTP API. */
export const powerdns = (options: PowerdnsOptions) => {
  knownOptions('powerdns', options, { zones: true, timeout: true, propagation: true, api: true, key: true, serverId: true })
  const { api, key, serverId = 'localhost' } = checked(options)
  return definePlugin({
    name: 'dns-provider/powerdns',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup({ endpoints }) {
      endpoints.declare(endpointsOfUrl(api))
      const zones = `${api.replace(/\/+$/, '')}/api/v1/servers/${encodeURIComponent(serverId)}/zones`
      const ask = async (method: 'GET' | 'PATCH', path: string, signal: AbortSignal, body?: unknown): Promise<Called> => {
        const secret = await secretOf(key)
        const url = new URL(`${zones}/${path}`)
        return call({
          method,
          url,
          headers: { 'x-api-key': secret },
          secrets: [secret],
          signal,
          ...(body !== undefined && { body }),
        })
      }
      /** The zone that the name is in, with what is at the name now. */
      const find = async ({ name }: TxtRecord, signal: AbortSignal) => {
        for (let zone = name; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
          const found = await ask('GET', `${zone}.?rrset_name=${name}.&rrset_type=TXT`, signal)
          if (found.status === 200) return { zone, contents: contentsOf(found.json, name) }
          if (found.status !== 404 && found.status !== 422) throw unavailable(`PowerDNS did not give the zone: ${found.said}`)
        }
        throw unavailable(`PowerDNS has no zone for ${name}`, 'make the zone there, or correct `zones`')
      }
      const change = async (record: TxtRecord, signal: AbortSignal, next: (contents: readonly string[]) => readonly string[]) => {
        const { zone, contents } = await find(record, signal)
        const wanted = next(contents)
        if (wanted.length === contents.length) return
        const records = wanted.map((content) => ({ content, disabled: false }))
        const rrset = {
          name: `${record.name}.`,
          type: 'TXT',
          ttl: 30,
          changetype: records.length > 0 ? 'REPLACE' : 'DELETE',
          records,
        }
        const done = await ask('PATCH', `${zone}.`, signal, { rrsets: [rrset] })
        if (done.status >= 300) throw unavailable(`PowerDNS refuses the record: ${done.said}`)
      }
      const remote = {
        // A set of records is written whole; and on SQLite PowerDNS answers a write beside another with a 500.
        atOnce: 1,
        put: (record: TxtRecord, signal: AbortSignal) =>
          change(record, signal, (now) => (now.includes(quoted(record)) ? now : [...now, quoted(record)])),
        take: (record: TxtRecord, signal: AbortSignal) =>
          change(record, signal, (now) => now.filter((one) => one !== quoted(record))),
      }
      return { api: { dns: remoteWriter(options, remote, asError) } }
    },
  })
}

const quoted = ({ value }: TxtRecord): string => `"${value}"`

const contentsOf = (zone: unknown, name: string): readonly string[] =>
  listOf(member(zone, 'rrsets'))
    .filter((rrset) => member(rrset, 'name') === `${name}.` && member(rrset, 'type') === 'TXT')
    .flatMap((rrset) => listOf(member(rrset, 'records')))
    .map((record) => member(record, 'content'))
    .filter((content) => typeof content === 'string')

const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: PowerdnsOptions): PowerdnsOptions => {
  const wrong = wrongRemote(options) ?? wrongUrl('api', options.api) ?? wrongSecret('key', options.key)
  if (wrong) throw new GatewayError('CONFIG_INVALID', `powerdns: ${wrong.wrong}`, wrong.fix)
  return options
}
