import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { unlessAborted } from '../unless-aborted.ts'
import { type AcmeClient, json } from './client.ts'
import { certificateRequest } from './csr.ts'
import type { Answer } from './https.ts'
import { AcmeProblem, CaUnreachable, isRecord, problemOf, retryAfter } from './problem.ts'

interface Proof {
  /** Without the `*.` of a wildcard. */
  readonly domain: string
  readonly token: string
  readonly keyAuthorization: string
}
export interface OrderOptions {
  readonly names: readonly string[]
  readonly challenge: string
  /** The ARI id of the certificate that this one comes in the place of (RFC 9773 section 5). */
  readonly replaces?: string | undefined
  /** One of the profiles that the CA offers. */
  readonly profile?: string | undefined
  present(proof: Proof, signal: AbortSignal): void | Promise<void>
  cleanup(proof: Proof): void | Promise<void>
}
/** PEM, leaf first; key PKCS #8 PEM. */
export interface Issued {
  readonly chain: string
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
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

/** One certificate, from newOrder to download (RFC 8555 section 7.4). Proofs are taken away again whatever comes of it. */
export const orderCertificate = async (client: AcmeClient, options: OrderOptions, signal: AbortSignal): Promise<Issued> => {
  const { url, order } = await newOrder(client, options, signal)
  const authorizations = texts(order.authorizations)
  const outcomes = await Promise.allSettled(authorizations.map((each) => authorize(client, each, options, signal)))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  const { key, csr } = await certificateRequest(options.names)
  const ready = await settled(client, url, order, ['pending'], signal)
  const finalize = text(ready.finalize, 'finalize')
  const finalized = ready.status === 'ready' ? json(finalize, await client.post(finalize, { csr }, signal)) : ready
  const done = await settled(client, url, finalized, ['processing', 'ready'], signal)
  if (done.status !== 'valid') throw problemOf(done.error, 400)
  const { body } = await client.post(text(done.certificate, 'certificate'), undefined, signal)
  return issued(body, key)
}

const newOrder = async (
  client: AcmeClient,
  { names, replaces, profile }: OrderOptions,
  signal: AbortSignal,
): Promise<{ url: string; order: Record<string, unknown> }> => {
  const { newOrder: at } = await client.directory(signal)
  const wanted = { identifiers: names.map((value) => ({ type: 'dns', value })), ...(profile !== undefined && { profile }) }
  const ask = (payload: object) => client.post(at, payload, signal)
  let answer: Answer
  try {
    answer = await ask({ ...wanted, ...(replaces !== undefined && { replaces }) })
  } catch (error) {
    // It says that it replaced that one already, or knows nothing of it: the certificate is needed all the same.
    const aside = error instanceof AcmeProblem && replaces !== undefined && ['alreadyReplaced', 'malformed'].includes(error.kind)
    if (!aside) throw error
    answer = await ask(wanted)
  }
  const url = answer.field('location')
  if (url === undefined) throw new CaUnreachable(`${at} made an order without a location`)
  return { url, order: json(at, answer) }
}

const authorize = async (client: AcmeClient, url: string, options: OrderOptions, signal: AbortSignal): Promise<void> => {
  const authorization = json(url, await client.post(url, undefined, signal))
  if (authorization.status === 'valid') return
  const domain = isRecord(authorization.identifier) ? text(authorization.identifier.value, 'identifier') : ''
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

const presenting = async ({ present }: OrderOptions, proof: Proof, signal: AbortSignal): Promise<void> => present(proof, signal)

/** What stays behind of a proof is no reason to lose the certificate: whoever presents them says what it could not take away. */
const tidy = async ({ cleanup }: OrderOptions, proof: Proof): Promise<void> => {
  const work = async () => cleanup(proof)
  await unlessAborted(work(), AbortSignal.timeout(minute)).catch(() => undefined)
}
const minute = 60_000

/** A pending authorization counts against the account until it is given back (RFC 8555 section 7.5.2). */
const giveUp = (client: AcmeClient, url: string): Promise<unknown> =>
  client.post(url, { status: 'deactivated' }, AbortSignal.timeout(5_000)).catch(() => undefined)

/** Asks until the status is none of these, no sooner than Retry-After says. */
const settled = async (
  client: AcmeClient,
  url: string,
  first: Record<string, unknown>,
  waiting: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, unknown>> => {
  let now = first
  for (let wait = 250; typeof now.status === 'string' && waiting.includes(now.status); wait = Math.min(wait * 1.5, 5_000)) {
    // What was known before the proof was given is old.
    const answer = await client.post(url, undefined, signal)
    now = json(url, answer)
    if (typeof now.status === 'string' && !waiting.includes(now.status)) break
    if (waiting.includes('ready') && now.status === 'ready') break
    const asked = retryAfter(answer.field('retry-after'), Date.now(), 300_000)
    await sleep(asked ? Math.max(asked.getTime() - Date.now(), 50) : wait, undefined, { signal })
  }
  return now
}

const issued = (chain: string, key: string): Issued => {
  try {
    const leaf = new X509Certificate(chain)
    return { chain, key, notBefore: leaf.validFromDate, notAfter: leaf.validToDate }
  } catch (error) {
    throw new CaUnreachable('the CA gave what is no certificate chain', { cause: error })
  }
}

const text = (value: unknown, what: string): string => {
  if (typeof value === 'string' && value !== '') return value
  throw new CaUnreachable(`the CA left ${what} out of an answer`)
}
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
