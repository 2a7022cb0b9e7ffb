import { unlessAborted } from '../unless-aborted.ts'
import { type AcmeClient, json } from './client.ts'
import { settled } from './poll.ts'
import { AcmeProblem, CaUnreachable, isRecord, problemOf, text } from './problem.ts'

interface Proof {
  /** Without the `*.` of a wildcard. */
  readonly domain: string
  readonly token: string
  readonly keyAuthorization: string
}
export interface Proving {
  readonly names: readonly string[]
  readonly challenge: string
  present(proof: Proof, signal: AbortSignal): void | Promise<void>
  cleanup(proof: Proof): void | Promise<void>
}
interface Authorization {
  readonly url: string
  /** Without the `*.` of a wildcard. */
  readonly domain: string
  readonly authorization: Record<string, unknown>
}

/** The CA could not see a proof: `message` says what it saw. */
export class ProofFailed extends Error {
  override readonly name = 'ProofFailed'
  readonly domain: string
  readonly kind: string
  constructor(domain: string, problem: AcmeProblem) {
    super(problem.message, { cause: problem })
    this.domain = domain
    this.kind = problem.kind
  }
}

/** Proves all names of an order. Nothing is proved where the CA wants anything but one authorization, at most, for each of the names. */
export const authorizeAll = async (client: AcmeClient, given: unknown, options: Proving, signal: AbortSignal): Promise<void> => {
  const urls = Array.isArray(given) ? given : []
  const { length } = options.names
  if (urls.length > length || new Set(urls).size < urls.length)
    throw new CaUnreachable(`the CA wants ${urls.length} authorizations for an order of ${length} names`)
  const all = await Promise.all(urls.map((url) => read(client, text(url, 'authorization'), options.names, signal)))
  const keys = all.map(({ domain, authorization }) => `${domain} ${authorization.wildcard === true}`)
  if (new Set(keys).size < keys.length)
    throw new CaUnreachable(`the CA wants two authorizations for one name: ${keys.join(', ')}`)
  const outcomes = await Promise.allSettled(all.map((each) => authorize(client, each, options, signal)))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

const read = async (client: AcmeClient, url: string, names: readonly string[], signal: AbortSignal): Promise<Authorization> => {
  const authorization = json(url, await client.post(url, undefined, signal))
  const domain = isRecord(authorization.identifier) ? text(authorization.identifier.value, 'identifier').toLowerCase() : ''
  if (names.includes(domain) || names.includes(`*.${domain}`)) return { url, domain, authorization }
  throw new CaUnreachable(`the CA wants ${printable(domain)} to be proved, which is none of the names that were ordered`)
}
const printable = (name: string): string => `'${name.replace(/[^\x20-\x7e]+/g, '?').slice(0, 100)}'`

/** Proves one name, where the authorization is not valid already. Only what is proved here is given back when that fails. */
const authorize = async (
  client: AcmeClient,
  { url, domain, authorization }: Authorization,
  options: Proving,
  signal: AbortSignal,
): Promise<void> => {
  if (authorization.status === 'valid') return
  const offered = Array.isArray(authorization.challenges) ? authorization.challenges.filter(isRecord) : []
  const challenge = offered.find(({ type }) => type === options.challenge)
  if (!challenge) {
    const types = offered.map(({ type }) => String(type)).join(', ')
    throw new AcmeProblem(
      'unsupportedChallenge',
      400,
      `it offers ${types || 'no challenge'} for ${domain}, not ${options.challenge}`,
    )
  }
  const token = text(challenge.token, 'token')
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw new CaUnreachable(`${url} gave a token that is not base64url`)
  const proof = { domain, token, keyAuthorization: `${token}.${client.key.thumbprint}` }
  try {
    await unlessAborted(presenting(options, proof, signal), signal)
    await client.post(text(challenge.url, 'url'), {}, signal)
    const done = await settled(client, url, authorization, ['pending', 'processing'], signal)
    if (done.status === 'valid') return
    const failed = Array.isArray(done.challenges)
      ? done.challenges.filter(isRecord).find(({ error }) => error !== undefined)
      : undefined
    throw new ProofFailed(domain, problemOf(failed?.error ?? { detail: `the authorization is ${done.status}` }, 403))
  } catch (error) {
    if (!(error instanceof ProofFailed)) await giveUp(client, url)
    throw error
  } finally {
    await tidy(options, proof)
  }
}

const presenting = async ({ present }: Proving, proof: Proof, signal: AbortSignal): Promise<void> => present(proof, signal)

/** What stays behind of a proof is no reason to lose the certificate: whoever presents them says what it could not take away. */
const tidy = async ({ cleanup }: Proving, proof: Proof): Promise<void> => {
  const work = async () => cleanup(proof)
  await unlessAborted(work(), AbortSignal.timeout(minute)).catch(() => undefined)
}
const minute = 60_000

/** A pending authorization counts against the account until it is given back (RFC 8555 section 7.5.2). */
const giveUp = (client: AcmeClient, url: string): Promise<unknown> =>
  client.post(url, { status: 'deactivated' }, AbortSignal.timeout(5_000)).catch(() => undefined)
