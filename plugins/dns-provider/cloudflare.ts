import { DnsWriter, definePlugin, GatewayError, knownOptions } from '../../core/index.ts'
import { blankSecrets } from '../../lib/blank-secrets.ts'
import { type Call, call, listOf, member } from '../../lib/dns/call.ts'
import { type DnsFailure, denied, unavailable } from '../../lib/dns/failure.ts'
import {
  type RemoteOptions,
  remoteWriter,
  secretOf,
  type TxtRecord,
  wrongRemote,
  wrongSecret,
  wrongUrl,
} from '../../lib/dns/remote.ts'
import { oneByOne } from '../../lib/one-by-one.ts'
import type { Secret } from '../../lib/secret.ts'
import { shown } from '../../lib/shown.ts'

export interface CloudflareOptions extends RemoteOptions {
  /** An API token with the permission Zone / DNS / Edit for the zones (and Zone / Zone / Read, to find them). */
  readonly token: Secret
  /** Default `https://api.cloudflare.com/client/v4`. */
  readonly api?: string
}

/** Writes the records by Cloudflare's API, version 4. */
export const cloudflare = (options: CloudflareOptions) => {
  knownOptions('cloudflare', options, { zones: true, timeout: true, propagation: true, token: true, api: true })
  const { token, api = 'https://api.cloudflare.com/client/v4' } = checked(options)
  return definePlugin({
    name: 'dns-provider/cloudflare',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup() {
      const ids = new Map<string, string>()
      const made = new Map<string, string>()
      const turn = oneByOne()
      const ask = async (method: Call['method'], path: string, signal: AbortSignal, body?: unknown): Promise<Answer> => {
        const secret = await secretOf(token)
        const url = new URL(`${api.replace(/\/+$/, '')}${path}`)
        const headers = { authorization: `Bearer ${secret}` }
        const { status, json, said } = await call({
          method,
          url,
          headers,
          secrets: [secret],
          signal,
          ...(body !== undefined && { body }),
        })
        const errors = listOf(member(json, 'errors')).map((error) => ({
          code: member(error, 'code'),
          message: String(member(error, 'message')),
        }))
        const told = errors.slice(0, 5).map(({ code, message }) => `${String(code).slice(0, 20)} ${message.slice(0, 500)}`)
        const why = shown(blankSecrets(told.join(', '), [secret])) || said
        if (errors.some(({ code }) => typeof code === 'number' && badToken.has(code)))
          throw denied(`Cloudflare refuses the token: ${why}`, 'give a token with the permission Zone / DNS / Edit')
        return {
          ok: status < 300 && member(json, 'success') === true,
          json,
          codes: errors.map(({ code }) => code),
          why,
        }
      }
      /** The id of the zone that the name is in. */
      const zoneId = async (name: string, signal: AbortSignal): Promise<string> => {
        for (let zone = name; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
          const known = ids.get(zone)
          if (known !== undefined) return known
          if (zone.startsWith('_acme-challenge.')) continue
          const found = await ask('GET', `/zones?${new URLSearchParams({ name: zone })}`, signal)
          if (!found.ok) throw unavailable(`Cloudflare did not give the zone: ${found.why}`)
          const id = member(listOf(member(found.json, 'result'))[0], 'id')
          if (typeof id === 'string') {
            ids.set(zone, id).set(name, id)
            return id
          }
        }
        throw denied(
          `Cloudflare has no zone for ${name} that this token may see`,
          'add the zone there, or give the token the right to it',
        )
      }
      const records = async (zone: string, name: string, signal: AbortSignal): Promise<readonly unknown[]> => {
        const all: unknown[] = []
        for (let page = 1; ; page++) {
          const query = new URLSearchParams({ type: 'TXT', 'name.exact': name, per_page: '100', page: `${page}` })
          const found = await ask('GET', `/zones/${zone}/dns_records?${query}`, signal)
          if (!found.ok) throw unavailable(`Cloudflare did not give the records: ${found.why}`)
          all.push(...listOf(member(found.json, 'result')))
          const pages = member(member(found.json, 'result_info'), 'total_pages')
          if (typeof pages !== 'number' || page >= pages) return all
        }
      }
      const remove = async (zone: string, id: string, signal: AbortSignal): Promise<void> => {
        const gone = await ask('DELETE', `/zones/${zone}/dns_records/${id}`, signal)
        if (!gone.ok && !gone.codes.includes(absent)) throw unavailable(`Cloudflare does not delete the record: ${gone.why}`)
      }
      const remote = {
        async put({ name, value }: TxtRecord, signal: AbortSignal) {
          const zone = await zoneId(name, signal)
          const body = { type: 'TXT', name, content: `"${value}"`, ttl: 60 }
          const answer = await ask('POST', `/zones/${zone}/dns_records`, signal, body)
          if (!answer.ok && !answer.codes.some((code) => code === identical || code === exists))
            throw unavailable(`Cloudflare refuses the record: ${answer.why}`)
          const id = member(member(answer.json, 'result'), 'id')
          if (typeof id === 'string') made.set(`${name} ${value}`, id)
        },
        async take({ name, value }: TxtRecord, signal: AbortSignal) {
          const zone = await zoneId(name, signal)
          const known = made.get(`${name} ${value}`)
          made.delete(`${name} ${value}`)
          if (known !== undefined) return remove(zone, known, signal)
          // Pages shift while something is deleted.
          await turn(name, async () => {
            for (const record of await records(zone, name, signal))
              if (member(record, 'name') === name && unquoted(member(record, 'content')) === value)
                await remove(zone, String(member(record, 'id')), signal)
          })
        },
      }
      return { api: { dns: remoteWriter(options, remote, asError) } }
    },
  })
}

const unquoted = (content: unknown): string => String(content).replace(/^"(.*)"$/, '$1')

interface Answer {
  readonly ok: boolean
  readonly json: unknown
  readonly codes: readonly unknown[]
  readonly why: string
}
const identical = 81_058
const exists = 81_057
const absent = 81_044
/** Malformed, unknown or without the permission. */
const badToken: ReadonlySet<number> = new Set([6_003, 6_111, 9_103, 9_109, 10_000, 10_001])

const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: CloudflareOptions): CloudflareOptions => {
  const { api, token } = options
  const wrong = wrongRemote(options) ?? (api === undefined ? undefined : wrongUrl('api', api)) ?? wrongSecret('token', token)
  if (wrong) throw new GatewayError('CONFIG_INVALID', `cloudflare: ${wrong.wrong}`, wrong.fix)
  return options
}
