import { setTimeout as after } from 'node:timers/promises'
import { DnsWriter, definePlugin, endpointsOfUrl, GatewayError, knownOptions } from '../../core/index.ts'
import { call } from '../../lib/dns/call.ts'
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
import { oneByOne } from '../../lib/one-by-one.ts'
import type { Secret } from '../../lib/secret.ts'

/** What `POST /register` of an acme-dns server gave. */
export interface AcmeDnsAccount {
  readonly subdomain: string
  readonly username: string
  readonly password: Secret
}
export interface AcmeDnsOptions extends Omit<RemoteOptions, 'zones'> {
  /** `https://auth.acme-dns.io`, or the address of a server of one's own. */
  readonly api: string
  /** By domain, whose `_acme-challenge` is a CNAME to the account's `fulldomain`. */
  readonly accounts: Readonly<Record<string, AcmeDnsAccount>>
}

/**
 * Writes the records to an acme-dns server, which keeps the two newest values of an account and forgets none otherwise. So two orders of
 * a domain run at the same time, more wait for one to be cleaned up, and a value that is still needed is written again before it would go.
 */
export const acmeDns = (options: AcmeDnsOptions) => {
  knownOptions('acmeDns', options, { timeout: true, propagation: true, api: true, accounts: true })
  const { api, accounts } = checked(options)
  return definePlugin({
    name: 'dns-provider/acme-dns',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup({ state, endpoints }) {
      endpoints.declare(endpointsOfUrl(api))
      const turn = oneByOne()
      const rows = new Map<string, readonly Row[]>(readRows(state.get('rows')))
      const written = new Map<string, number>()
      const freed = new EventTarget()
      const keep = (zone: string, next: readonly Row[]) => {
        rows.set(zone, next)
        return state.set('rows', new TextEncoder().encode(JSON.stringify([...rows])))
      }
      const post = async (zone: string, txt: string, signal: AbortSignal): Promise<void> => {
        const account = accounts[zone]
        if (!account) throw unavailable(`acme-dns has no account for ${zone}`, 'add it to `accounts`')
        // The server tells older from newer by whole seconds.
        await after(Math.max(0, (written.get(zone) ?? 0) + 1_050 - performance.now()), undefined, { signal })
        const secret = await secretOf(account.password)
        const { status, said } = await call({
          method: 'POST',
          url: new URL(`${api.replace(/\/+$/, '')}/update`),
          headers: { 'x-api-user': account.username, 'x-api-key': secret },
          body: { subdomain: account.subdomain, txt },
          secrets: [secret],
          signal,
        })
        written.set(zone, performance.now())
        if (status >= 300)
          throw unavailable(`acme-dns refuses the record: ${said}`, 'compare the account with what /register gave')
      }
      /** False where both values are still needed by others. */
      const write = async ({ zone, value }: TxtRecord, signal: AbortSignal): Promise<boolean> => {
        const now = rows.get(zone) ?? []
        if (now.some((row) => row.value === value)) {
          await keep(
            zone,
            now.map((row) => (row.value === value ? { value, live: true } : row)),
          )
          return true
        }
        const [oldest, newer] = now
        if (oldest?.live && newer?.live) return false
        // The oldest goes next: one that is needed is made the newest first.
        if (oldest?.live && newer) {
          await post(zone, oldest.value, signal)
          await keep(zone, [newer, oldest])
        }
        await post(zone, value, signal)
        await keep(zone, [...(rows.get(zone) ?? []).slice(-1), { value, live: true }])
        return true
      }
      const remote = {
        async put(record: TxtRecord, signal: AbortSignal) {
          for (;;) {
            const free = new AbortController()
            freed.addEventListener('free', () => free.abort(), { once: true, signal })
            if (await turn(record.zone, () => write(record, signal))) return
            await after(60_000, undefined, { signal: AbortSignal.any([signal, free.signal]) }).catch(() => undefined)
            signal.throwIfAborted()
          }
        },
        async take({ zone, value }: TxtRecord) {
          await turn(zone, () =>
            keep(
              zone,
              (rows.get(zone) ?? []).map((row) => (row.value === value ? { value, live: false } : row)),
            ),
          )
          freed.dispatchEvent(new Event('free'))
        },
      }
      const zones = Object.keys(accounts)
      return {
        api: {
          dns: { followsAliases: true, ...remoteWriter({ timeout: 120, ...options, zones, exact: true }, remote, asError) },
        },
      }
    },
  })
}

interface Row {
  readonly value: string
  /** Somebody still needs it. */
  readonly live: boolean
}
const readRows = (saved: Uint8Array | undefined): readonly (readonly [string, readonly Row[]])[] => {
  const all: unknown = saved ? JSON.parse(new TextDecoder().decode(saved)) : []
  return Array.isArray(all) ? all.filter(isEntry) : []
}
const isEntry = (entry: unknown): entry is readonly [string, readonly Row[]] =>
  Array.isArray(entry) && typeof entry[0] === 'string' && Array.isArray(entry[1])

const asError = ({ code, message, fix, cause }: DnsFailure) => new GatewayError(code, message, fix, { cause })

const checked = (options: AcmeDnsOptions): AcmeDnsOptions => {
  const { api, accounts, ...rest } = options
  const list = typeof accounts === 'object' && accounts !== null ? Object.entries(accounts) : []
  const wrong =
    wrongUrl('api', api) ??
    (list.length > 0
      ? undefined
      : { wrong: 'accounts is empty', fix: 'give one for each domain, as /register of the server says them' }) ??
    wrongRemote({ ...rest, zones: list.map(([domain]) => domain) }) ??
    list.map(([domain, account]) => wrongAccount(domain, account)).find((one) => one !== undefined)
  if (wrong) throw new GatewayError('CONFIG_INVALID', `acmeDns: ${wrong.wrong}`, wrong.fix)
  return options
}
const wrongAccount = (domain: string, account: AcmeDnsAccount) =>
  typeof account?.subdomain === 'string' && typeof account.username === 'string'
    ? wrongSecret(`accounts['${domain}'].password`, account.password)
    : { wrong: `accounts['${domain}'] is not whole`, fix: 'give subdomain, username and password' }
