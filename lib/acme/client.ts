import { type Answer, type HttpsClient, httpsClient } from './https.ts'
import { type AccountKey, accountKey, externalBinding } from './jws.ts'
import { AcmeProblem, CaUnreachable, isRecord, problemOf, retryAfter } from './problem.ts'

/** What a client is kept by: the same key and URL give the same account. */
export interface Account {
  readonly key: string
  readonly url: string
}
export interface ClientOptions {
  readonly directory: string
  readonly email?: string | undefined
  readonly trust?: string | undefined
  readonly eab?: { readonly id: string; readonly key: string } | undefined
  /** The account as it was kept. */
  readonly account?: Account | undefined
  /** Called with a new account before it is used for anything. */
  keep(account: Account): Promise<void>
  /** Seconds for one answer of the CA. Default 30. */
  readonly seconds?: number
}
interface Directory {
  readonly newOrder: string
  readonly newAccount: string
  readonly newNonce: string
  readonly revokeCert: string | undefined
  readonly renewalInfo: string | undefined
  /** The names that it answers to in CAA records. */
  readonly caaIdentities: readonly string[]
}
export interface AcmeClient {
  readonly key: Pick<AccountKey, 'thumbprint'>
  directory(signal: AbortSignal): Promise<Directory>
  /** Signed by the account, which is made when it is first needed. `payload` undefined: POST-as-GET. */
  post(url: string, payload: object | undefined, signal: AbortSignal): Promise<Answer>
  /** Unsigned, as renewal information is asked for. */
  get(url: string, signal: AbortSignal): Promise<Answer>
  /** The clock of the CA minus ours in ms, by its last answer. */
  skew(): number
  close(): void
}

/** How often a nonce may be refused in a row: some CAs refuse them at random (RFC 8555 section 6.5). */
const nonceTries = 20

/** Speaks ACME (RFC 8555) to one CA as one account. Rejects with AcmeProblem, CaUnreachable or the signal's reason. */
export const acmeClient = (options: ClientOptions): AcmeClient => {
  const https: HttpsClient = httpsClient(options)
  const nonces: string[] = []
  const key = accountKey(options.account?.key)
  let kid = options.account?.url
  let known: Directory | undefined
  let registering: Promise<string> | undefined
  let skew = 0

  const ask = async (asked: Parameters<HttpsClient['ask']>[0]): Promise<Answer> => {
    const answer = await https.ask(asked)
    const nonce = answer.field('replay-nonce')
    if (nonce !== undefined && nonces.length < 32) nonces.push(nonce)
    const date = Date.parse(answer.field('date') ?? '')
    if (!Number.isNaN(date)) skew = date - Date.now()
    if (answer.status >= 400) throw refusal(asked.url, answer)
    return answer
  }
  const directory = async (signal: AbortSignal): Promise<Directory> => {
    known ??= readDirectory(options.directory, await ask({ method: 'GET', url: options.directory, signal }))
    return known
  }
  const nonce = async (signal: AbortSignal): Promise<string> => {
    // Newest first: a CA forgets old ones.
    const kept = nonces.pop()
    if (kept !== undefined) return kept
    const { newNonce } = await directory(signal)
    await ask({ method: 'HEAD', url: newNonce, signal })
    const fresh = nonces.pop()
    if (fresh === undefined) throw new CaUnreachable(`${newNonce} gave no nonce`)
    return fresh
  }
  const signed = async (url: string, who: object, payload: string, signal: AbortSignal): Promise<Answer> => {
    for (let tries = 1; ; tries++)
      try {
        const body = key.sign({ nonce: await nonce(signal), url, ...who }, payload)
        return await ask({ method: 'POST', url, body, headers: { 'content-type': 'application/jose+json' }, signal })
      } catch (error) {
        if (!(error instanceof AcmeProblem && error.kind === 'badNonce' && tries < nonceTries)) throw error
      }
  }
  const register = async (signal: AbortSignal): Promise<string> => {
    const { newAccount } = await directory(signal)
    const request = {
      termsOfServiceAgreed: true,
      ...(options.email !== undefined && { contact: [`mailto:${options.email}`] }),
      ...(options.eab && { externalAccountBinding: externalBinding(options.eab, newAccount, key.jwk) }),
    }
    const answer = await signed(newAccount, { jwk: key.jwk }, JSON.stringify(request), signal).catch((error) => {
      throw options.eab && error instanceof AcmeProblem && error.status < 429 ? unbound(error) : error
    })
    const url = answer.field('location')
    if (url === undefined) throw new CaUnreachable(`${newAccount} made an account without a location`)
    await options.keep({ key: key.pem, url })
    kid = url
    return url
  }
  const account = async (): Promise<string> => {
    if (kid !== undefined) return kid
    // By a time of its own: who waits beside the one that began it must not end with that one.
    registering ??= register(AbortSignal.timeout(120_000)).finally(() => {
      registering = undefined
    })
    return registering
  }
  const post: AcmeClient['post'] = async (url, payload, signal) => {
    const text = payload === undefined ? '' : JSON.stringify(payload)
    const used = await account()
    try {
      return await signed(url, { kid: used }, text, signal)
    } catch (error) {
      if (!(error instanceof AcmeProblem) || error.kind !== 'accountDoesNotExist') throw error
      // The CA lost the account, as a test CA does at its restart: another one of the same key.
      if (kid === used) kid = undefined
      return signed(url, { kid: await account() }, text, signal)
    }
  }
  return {
    key,
    directory,
    post,
    get: (url, signal) => ask({ method: 'GET', url, signal }),
    skew: () => skew,
    close: https.close,
  }
}

/** CAs have no one word for a binding that they do not take. */
const unbound = ({ status, message, retryAt }: AcmeProblem): AcmeProblem =>
  new AcmeProblem('externalAccountRequired', status, `the external account is not taken: ${message}`, retryAt)

const refusal = (url: string, answer: Answer): Error => {
  const retryAt = retryAfter(answer.field('retry-after'), Date.now())
  const type = answer.field('content-type') ?? ''
  if (answer.status >= 500 || !type.includes('json')) {
    const why = answer.status === 503 ? 'it is not in service now (503)' : `it answered ${answer.status}`
    // A limit told by something in front of the CA is a limit all the same.
    if (answer.status === 429) return new AcmeProblem('rateLimited', 429, 'it answered 429: too many requests', retryAt)
    return new CaUnreachable(`${url}: ${why}`, { retryAt })
  }
  return problemOf(json(url, answer), answer.status, retryAt)
}

/** The body of an answer; rejects what is cut off or no object. */
export const json = (url: string, answer: Answer): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(answer.body)
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw new CaUnreachable(`${url} answered ${answer.status} with what is no whole JSON object`)
}

const readDirectory = (url: string, answer: Answer): Directory => {
  const value = json(url, answer)
  const { newNonce, newAccount, newOrder, revokeCert, renewalInfo } = value
  if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string')
    throw new CaUnreachable(`${url} is no ACME directory: it names no newNonce, newAccount or newOrder`)
  const meta = isRecord(value.meta) ? value.meta : {}
  const identities = Array.isArray(meta.caaIdentities) ? meta.caaIdentities : []
  return {
    newNonce,
    newAccount,
    newOrder,
    revokeCert: typeof revokeCert === 'string' ? revokeCert : undefined,
    renewalInfo: typeof renewalInfo === 'string' ? renewalInfo : undefined,
    caaIdentities: identities.filter((name) => typeof name === 'string'),
  }
}
