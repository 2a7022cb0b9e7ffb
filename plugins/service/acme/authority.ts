import { createHash } from 'node:crypto'
import { type AcmeAccount, type AcmeOrder, type Core, GatewayError, reason } from '../../../core/index.ts'
import { ariId, type RenewalInfo, renewalInfo, timeIn } from '../../../lib/acme/ari.ts'
import { type Account, type AcmeClient, acmeClient } from '../../../lib/acme/client.ts'
import { accountKey } from '../../../lib/acme/jws.ts'
import { type Issued, OrderProcessing, orderCertificate } from '../../../lib/acme/order.ts'
import { isRecord } from '../../../lib/acme/problem.ts'
import { unlessAborted } from '../../../lib/unless-aborted.ts'
import type { Authority } from './options.ts'
import type { PendingOrders } from './pending-orders.ts'
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
  account(): AcmeAccount
  /** That of the account, which is made where there is none. */
  accountUrl(signal: AbortSignal): Promise<string>
  /** Another account, with a key of its own. */
  newAccount(signal: AbortSignal): Promise<void>
  /** Has the CA's directory read anew when it is next needed. */
  forgetDirectory(): void
  close(): void
}
/** When renewal information was asked for: of so many certificates at most. */
const maxWindows = 10_000

export const openCa = (
  authority: Authority,
  pending: PendingOrders,
  { state, log }: Pick<Core, 'state' | 'log'>,
  skewed: (ms: number) => void,
): Ca => {
  const { directory } = authority
  const name = `account ${directory}`
  const windows = new Map<string, RenewalInfo>()
  let client: AcmeClient | undefined
  let deactivated = false
  const open = (account: Account | undefined): AcmeClient =>
    acmeClient({
      ...authority,
      account,
      keep: async (made) => {
        await state.set(name, Buffer.from(JSON.stringify(made)))
        log('made an account with a CA', { directory, account: made.url })
      },
    })
  const use = (): AcmeClient => {
    client ??= open(accountOf(state.get(name), log))
    return client
  }
  const asking = async <T>(ask: (client: AcmeClient) => Promise<T>): Promise<T> => {
    const used = use()
    try {
      const answer = await ask(used)
      if (client === used) deactivated = false
      return answer
    } catch (error) {
      const said = saidBy(directory, error)
      if (client === used && said instanceof GatewayError && said.code === 'ACCOUNT_DEACTIVATED') deactivated = true
      throw said
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
        const kept = pending.of(directory, order.names)
        const options = { ...order, replaces, profile: authority.profile, pending: kept }
        return orderCertificate(client, options, signal).catch((error) => {
          throw error instanceof OrderProcessing ? processing(directory, pending.since(directory, order.names)) : error
        })
      }),
    renewAt: (chain, signal) =>
      asking(async (client) => {
        const key = createHash('sha256').update(chain).digest('base64url')
        const known = windows.get(key)
        const info = known && known.again.getTime() > Date.now() ? known : await renewalInfo(client, chain, signal)
        if (!info) return undefined
        if (info.explanation !== undefined && info !== known) log('the CA says why to renew', { explanation: info.explanation })
        windows.delete(key)
        windows.set(key, info)
        const [oldest] = windows.keys()
        if (windows.size > maxWindows && oldest !== undefined) windows.delete(oldest)
        // The same share of the window each time it is asked, a different one for each certificate.
        return timeIn(info, createHash('sha256').update(`window ${key}`).digest().readUInt32BE() / 2 ** 32)
      }),
    revoke: (chain, signal) =>
      asking(async (client) => {
        const { revokeCert } = await client.directory(signal)
        if (revokeCert === undefined) throw new GatewayError('CA_REFUSED', `${directory} revokes nothing`, 'ask the CA itself')
        const [leaf = ''] = chain.split(/(?<=-----END CERTIFICATE-----)/)
        const der = Buffer.from(leaf.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64').toString('base64url')
        await client.call('revokeCert', { certificate: der }, signal)
      }),
    account: () => {
      const url = (client ?? use()).account()
      return { directory, ...(url !== undefined && { url }), state: deactivated ? 'deactivated' : url ? 'valid' : 'none' }
    },
    accountUrl: (signal) => asking((client) => unlessAborted(client.register(), signal)),
    newAccount: async (signal) => {
      const fresh = open(undefined)
      try {
        await unlessAborted(fresh.register(), signal)
      } catch (error) {
        fresh.close()
        throw saidBy(directory, error)
      }
      client?.close()
      client = fresh
      deactivated = false
    },
    forgetDirectory: () => client?.forgetDirectory(),
    close: () => client?.close(),
  }
}

/** The account as it was kept; one that cannot be read is none, and another one is made. */
const accountOf = (kept: Uint8Array | undefined, log: Core['log']): Account | undefined => {
  if (!kept) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(kept).toString())
    if (!isRecord(value) || typeof value.key !== 'string' || typeof value.url !== 'string') throw new Error('it is no account')
    accountKey(value.key)
    return { key: value.key, url: value.url }
  } catch (error) {
    log('the kept account of a CA cannot be read: another one is made', { reason: reason(error) })
    return undefined
  }
}

/** Looked after again when half as much time again has gone by, at least a minute and at most half an hour. */
const processing = (directory: string, since = Date.now()): GatewayError => {
  const wait = Math.min(Math.max((Date.now() - since) / 2, 60_000), 1_800_000)
  return new GatewayError(
    'ORDER_PENDING',
    `${new URL(directory).host} has not issued yet, ${Math.round((Date.now() - since) / 60_000)} minutes after all was proved`,
    'wait: the certificate is fetched when it is there',
    { retryAt: new Date(Date.now() + wait) },
  )
}
