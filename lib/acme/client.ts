import type { ProxyChoice } from '../proxy.ts'
import { type Answer, type HttpsClient, httpsClient } from './https.ts'
import { type AccountKey, accountKey, externalBinding } from './jws.ts'
import { AccountDeactivated, AcmeProblem, CaUnreachable, isRecord, problemOf, retryAfter } from './problem.ts'
import { isSameSite } from './same-site.ts'

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
  /** The URL of a proxy, or `false` for none; by default as HTTPS_PROXY and NO_PROXY say. */
  readonly proxy?: ProxyChoice
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
  /** As the CA gave it in the last hour. */
  directory(signal: AbortSignal): Promise<Directory>
  /** Like `post`, to what the directory names so; where nothing is there any more the directory is read again. */
  call(endpoint: 'newOrder' | 'revokeCert', payload: object, signal: AbortSignal): Promise<Answer>
  /** Makes the account, or finds the one of this key. */
  register(): Promise<string>
  /** URL of the account; `undefined` before there is one. */
  account(): string | undefined
  /** Signed by the account, which is made when it is first needed. `payload` undefined: POST-as-GET. */
  post(url: string, payload: object | undefined, signal: AbortSignal): Promise<Answer>
  /** Unsigned, as renewal information is asked for. */
  get(url: string, signal: AbortSignal): Promise<Answer>
  /** The clock of the CA minus ours in ms, by its last answer. */
  skew(): number
  /** Has the directory read anew when it is next needed. */
  forgetDirectory(): void
  close(): void
}

/** Milliseconds; a CA may move its endpoints. */
const directoryAge = 3_600_000
/** How often a nonce may be refused in a row: some CAs refuse them at random (RFC 8555 section 6.5). */
const nonceTries = 20

/** Speaks ACME (RFC 8555) to one CA as one account. Rejects with AcmeProblem, CaUnreachable or the signal's reason. */
export const acmeClient = (options: ClientOptions): AcmeClient => {
  const https: HttpsClient = httpsClient(options)
  const nonces: string[] = []
  const key = accountKey(options.account?.key)
  let kid = options.account?.url
  let known: Directory | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let registering: Promise<string> | undefined
  let skew = 0

  const ask = async (asked: Parameters<HttpsClient['ask']>[0]): Promise<Answer> => {
    if (!isSameSite(options.directory, asked.url))
      throw new CaUnreachable(`the CA names ${asked.url.slice(0, 200)}, which is not at the site of its directory`)
    const answer = await https.ask(asked)
    const nonce = answer.field('replay-nonce')
    if (nonce !== undefined && /^[A-Za-z0-9_-]{1,512}$/.test(nonce) && nonces.length < 32) nonces.push(nonce)
    const date = Date.parse(answer.field('date') ?? '')
    if (!Number.isNaN(date)) skew = date - Date.now()
    if (answer.status >= 400) throw refusal(asked.url, answer)
    // Followed nowhere: the Location of a 302 is no account.
    if (answer.status >= 300) throw new CaUnreachable(`${asked.url.slice(0, 200)}: it answered ${answer.status}`)
    return answer
  }
  const directory = async (signal: AbortSignal): Promise<Directory> => {
    if (known && performance.now() - readAt < directoryAge) return known
    known = readDirectory(options.directory, await ask({ method: 'GET', url: options.directory, signal }))
    readAt = performance.now()
    return known
  }
  /** One try more by a directory that is read anew, where that names another URL. */
  const atEndpoint = async <T>(
    endpoint: 'newOrder' | 'newAccount' | 'newNonce' | 'revokeCert',
    signal: AbortSignal,
    work: (url: string) => Promise<T>,
  ): Promise<T> => {
    const url = (await directory(signal))[endpoint]
    if (url === undefined) throw new AcmeProblem('', 400, `its directory has no ${endpoint}`)
    try {
      return await work(url)
    } catch (error) {
      const moved = error instanceof CaUnreachable || (error instanceof AcmeProblem && [404, 405, 410].includes(error.status))
      if (!moved || signal.aborted) throw error
      readAt = Number.NEGATIVE_INFINITY
      const now = (await directory(signal).catch(() => undefined))?.[endpoint]
      if (now === undefined || now === url) throw error
      return work(now)
    }
  }
  const nonce = async (signal: AbortSignal): Promise<string> => {
    // Newest first: a CA forgets old ones.
    const kept = nonces.pop()
    if (kept !== undefined) return kept
    return atEndpoint('newNonce', signal, async (url) => {
      await ask({ method: 'HEAD', url, signal })
      const fresh = nonces.pop()
      if (fresh === undefined) throw new CaUnreachable(`${url} gave no nonce`)
      return fresh
    })
  }
  const signed = async (url: string, who: object, payload: string, signal: AbortSignal): Promise<Answer> => {
    for (let tries = 1; ; tries++)
      try {
        const body = key.sign({ nonce: await nonce(signal), url, ...who }, payload)
        return await ask({ method: 'POST', url, body, headers: { 'content-type': 'application/jose+json' }, signal })
      } catch (error) {
        if (isDeactivated(error)) throw new AccountDeactivated(error.message, { cause: error })
        if (!(error instanceof AcmeProblem && error.kind === 'badNonce')) throw error
        // None of those that came before is better.
        nonces.splice(0, nonces.length - 1)
        if (tries >= nonceTries) throw new CaUnreachable(`${url} refused ${tries} nonces in a row`, { retryAt: error.retryAt })
      }
  }
  const register = async (signal: AbortSignal): Promise<string> => {
    const request = (newAccount: string) => ({
      termsOfServiceAgreed: true,
      ...(options.email !== undefined && { contact: [`mailto:${options.email}`] }),
      ...(options.eab && { externalAccountBinding: externalBinding(options.eab, newAccount, key.jwk) }),
    })
    const answer = await atEndpoint('newAccount', signal, (url) =>
      signed(url, { jwk: key.jwk }, JSON.stringify(request(url)), signal).catch((error) => {
        throw options.eab && error instanceof AcmeProblem && error.status < 429 && error.status !== 404 ? unbound(error) : error
      }),
    )
    const url = answer.field('location')
    if (url === undefined || url.length > 1_000) throw new CaUnreachable('the CA made an account without a location')
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
    call: (endpoint, payload, signal) => atEndpoint(endpoint, signal, (url) => post(url, payload, signal)),
    register: account,
    account: () => kid,
    post,
    get: (url, signal) => ask({ method: 'GET', url, signal }),
    skew: () => skew,
    forgetDirectory: () => {
      readAt = Number.NEGATIVE_INFINITY
    },
    close: https.close,
  }
}

/** CAs have no one word for a binding that they do not take. */
const unbound = ({ status, message, retryAt }: AcmeProblem): AcmeProblem =>
  new AcmeProblem('externalAccountRequired', status, `the external account is not taken: ${message}`, retryAt)

/** CAs tell by the status of RFC 8555 section 7.3.6, or by 403 and words of their own. */
const isDeactivated = (error: unknown): error is AcmeProblem =>
  error instanceof AcmeProblem &&
  error.kind === 'unauthorized' &&
  (error.status === 401 || /\baccount\b[^.]{0,80}\b(?:deactivated|revoked|not valid|inactive)\b/i.test(error.message))

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
