import { createHash } from 'node:crypto'
import { type AcmeOrder, type Core, GatewayError } from '../../../core/index.ts'
import { ariId, type RenewalInfo, renewalInfo, timeIn } from '../../../lib/acme/ari.ts'
import { type Account, type AcmeClient, acmeClient } from '../../../lib/acme/client.ts'
import { type Issued, orderCertificate } from '../../../lib/acme/order.ts'
import { isRecord } from '../../../lib/acme/problem.ts'
import type { Authority } from './options.ts'
import { saidBy } from './said.ts'

/** One CA with the account that it is asked as. */
export interface Ca {
  readonly authority: Authority
  /** The names by which CAA records call it. */
  identities(signal: AbortSignal): Promise<readonly string[]>
  /** One order; `replaces` only where this CA issued that one. */
  order(order: AcmeOrder, signal: AbortSignal): Promise<Issued>
  /** The time within the window that the CA gives for the renewal of this chain; `undefined` where it gives none. */
  renewAt(chain: string, signal: AbortSignal): Promise<Date | undefined>
  revoke(chain: string, signal: AbortSignal): Promise<void>
  close(): void
}

export const openCa = (authority: Authority, { state, log }: Pick<Core, 'state' | 'log'>, skewed: (ms: number) => void): Ca => {
  const { directory } = authority
  const name = `account ${directory}`
  const windows = new Map<string, RenewalInfo>()
  let client: AcmeClient | undefined
  const use = (): AcmeClient => {
    client ??= acmeClient({
      ...authority,
      account: accountOf(state.get(name)),
      keep: async (account) => {
        await state.set(name, Buffer.from(JSON.stringify(account)))
        log('made an account with a CA', { directory, account: account.url })
      },
    })
    return client
  }
  const asking = async <T>(ask: (client: AcmeClient) => Promise<T>): Promise<T> => {
    const used = use()
    try {
      return await ask(used)
    } catch (error) {
      throw saidBy(directory, error)
    } finally {
      skewed(used.skew())
    }
  }
  return {
    authority,
    identities: (signal) =>
      authority.caa ? Promise.resolve(authority.caa) : asking(async (client) => (await client.directory(signal)).caaIdentities),
    order: (order, signal) =>
      asking(async (client) => {
        const replaces =
          order.replaces && (await client.directory(signal)).renewalInfo ? await ariId(order.replaces.chain) : undefined
        return orderCertificate(client, { ...order, replaces, profile: authority.profile }, signal)
      }),
    renewAt: (chain, signal) =>
      asking(async (client) => {
        const key = createHash('sha256').update(chain).digest('base64url')
        const known = windows.get(key)
        const info = known && known.again.getTime() > Date.now() ? known : await renewalInfo(client, chain, signal)
        if (!info) return undefined
        if (info.explanation !== undefined && info !== known) log('the CA says why to renew', { explanation: info.explanation })
        windows.set(key, info)
        // The same share of the window each time it is asked, a different one for each certificate.
        return timeIn(info, createHash('sha256').update(`window ${key}`).digest().readUInt32BE() / 2 ** 32)
      }),
    revoke: (chain, signal) =>
      asking(async (client) => {
        const { revokeCert } = await client.directory(signal)
        if (revokeCert === undefined) throw new GatewayError('CA_REFUSED', `${directory} revokes nothing`, 'ask the CA itself')
        const [leaf = ''] = chain.split(/(?<=-----END CERTIFICATE-----)/)
        const der = Buffer.from(leaf.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64').toString('base64url')
        await client.post(revokeCert, { certificate: der }, signal)
      }),
    close: () => client?.close(),
  }
}

const accountOf = (kept: Uint8Array | undefined): Account | undefined => {
  if (!kept) return undefined
  const value: unknown = JSON.parse(Buffer.from(kept).toString())
  return isRecord(value) && typeof value.key === 'string' && typeof value.url === 'string'
    ? { key: value.key, url: value.url }
    : undefined
}
