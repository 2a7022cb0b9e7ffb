import { setTimeout as sleep } from 'node:timers/promises'
import { chainFault, clientFault, parseChain } from '../certificate-chain.ts'
import { authorizeAll, type Proving } from './authorization.ts'
import { type AcmeClient, json } from './client.ts'
import { certificateRequest } from './csr.ts'
import { settled } from './poll.ts'
import { AcmeProblem, CaUnreachable, problemOf, text } from './problem.ts'

export { ProofFailed } from './authorization.ts'

export interface OrderOptions extends Proving {
  /** The ARI id of the certificate that this one comes in the place of (RFC 9773 section 5). */
  readonly replaces?: string | undefined
  /** One of the profiles that the CA offers. */
  readonly profile?: string | undefined
  /** Where an order is kept from its finalization to its download. */
  readonly pending?: PendingOrder | undefined
  /** Seconds to wait for a finalized order before OrderProcessing; 120 by default. */
  readonly seconds?: number
}
/** An order that was finalized: the CA may issue for it whatever became of its answer. */
export interface FinalizedOrder {
  readonly url: string
  readonly finalize: string
  /** PKCS #8 PEM. */
  readonly key: string
  readonly csr: string
}
export interface PendingOrder {
  readonly saved: FinalizedOrder | undefined
  save(order: FinalizedOrder): Promise<void>
  clear(): Promise<void>
  /** A try told nothing of it. True where that was the last one, and it is not kept any longer. */
  failed(): Promise<boolean>
  /** The CA said that it is at work on it. */
  processing(): Promise<void>
}
/** PEM, leaf first; key PKCS #8 PEM. */
export interface Issued {
  readonly chain: string
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** The order is kept, and the CA is not done with it. */
export class OrderProcessing extends Error {
  override readonly name = 'OrderProcessing'
}
/** What the CA issued cannot be used: `message` says why. */
export class UselessCertificate extends Error {
  override readonly name = 'UselessCertificate'
}

/**
 * One certificate, from newOrder to download (RFC 8555 section 7.4). Proofs are taken away again whatever comes of it. An order that was
 * finalized before is gone on with, and the names are proved anew only where the CA gave that one up.
 */
export const orderCertificate = async (client: AcmeClient, options: OrderOptions, signal: AbortSignal): Promise<Issued> => {
  const before = options.pending?.saved
  if (before) {
    const issued = await resume(client, before, options, signal)
    if (issued) return issued
  }
  const { url, order } = await newOrder(client, options, signal)
  await authorizeAll(client, order.authorizations, options, signal)
  const { key, csr } = await certificateRequest(options.names)
  const ready = await settled(client, url, order, ['pending'], signal)
  const finalized = { url, finalize: text(ready.finalize, 'finalize'), key, csr }
  if (ready.status !== 'ready' && ready.status !== 'valid') throw problemOf(ready.error, 400)
  await options.pending?.save(finalized)
  return finish(client, finalized, ready, options, signal)
}

const resume = async (
  client: AcmeClient,
  saved: FinalizedOrder,
  options: OrderOptions,
  signal: AbortSignal,
): Promise<Issued | undefined> => {
  try {
    const order = json(saved.url, await client.post(saved.url, undefined, signal))
    const { finalize = saved.finalize } = order
    return await finish(client, { ...saved, finalize: text(finalize, 'finalize') }, order, options, signal)
  } catch (error) {
    // Given up by the CA, or another account's: there is a new one.
    if (error instanceof AcmeProblem && error.status < 429) return undefined
    if (error instanceof OrderProcessing || error instanceof UselessCertificate) throw error
    signal.throwIfAborted()
    // The CA never says what became of it, such as by a certificate that cannot be fetched: it blocks no other order for ever.
    if (await options.pending?.failed()) return undefined
    throw error
  }
}

/** Finalizes as often as the CA says that it has not, and waits. What comes of an order with an end is not kept any longer. */
const finish = async (
  client: AcmeClient,
  saved: FinalizedOrder,
  first: Record<string, unknown>,
  options: OrderOptions,
  signal: AbortSignal,
): Promise<Issued> => {
  const over = AbortSignal.timeout((options.seconds ?? 120) * 1_000)
  const until = AbortSignal.any([signal, over])
  let order = first
  let fetching = false
  try {
    for (let tries = 0; order.status === 'ready' && tries < finalizeTries; tries++) {
      order = await finalized(client, saved, until)
      // The order's own URL may be behind what finalize began.
      if (order.status === 'ready') await sleep(500 * 2 ** tries, undefined, { signal: until })
    }
    const done = await settled(client, saved.url, order, ['processing'], until)
    if (done.status === 'ready') throw new CaUnreachable(`${saved.url} stays ready however often it is finalized`)
    if (done.status !== 'valid') throw problemOf(done.error, 400)
    fetching = true
    const { body } = await client.post(text(done.certificate, 'certificate'), undefined, signal)
    await options.pending?.clear()
    return issuedOf(body, saved.key, options.names)
  } catch (error) {
    if (over.aborted && !signal.aborted && !fetching) {
      if (order.status !== 'processing') throw new CaUnreachable(`${saved.url} is ${order.status}, however long it is finalized`)
      await options.pending?.processing()
      throw new OrderProcessing(`${saved.url} is still being processed`)
    }
    if (error instanceof AcmeProblem && error.status < 429) await options.pending?.clear()
    throw error
  }
}
const finalizeTries = 4

/** The order as it is after finalization. Where the answer is lost, such as by a 504 of the CA's front server, the order itself tells. */
const finalized = async (
  client: AcmeClient,
  { url, finalize, csr }: FinalizedOrder,
  signal: AbortSignal,
): Promise<Record<string, unknown>> => {
  try {
    return json(finalize, await client.post(finalize, { csr }, signal))
  } catch (error) {
    const lost = error instanceof CaUnreachable || (error instanceof AcmeProblem && error.kind === 'orderNotReady')
    if (!lost) throw error
    signal.throwIfAborted()
    return json(url, await client.post(url, undefined, signal))
  }
}

const newOrder = async (
  client: AcmeClient,
  { names, replaces, profile }: OrderOptions,
  signal: AbortSignal,
): Promise<{ url: string; order: Record<string, unknown> }> => {
  const wanted = { identifiers: names.map((value) => ({ type: 'dns', value })), ...(profile !== undefined && { profile }) }
  const answer = await client
    .call('newOrder', { ...wanted, ...(replaces !== undefined && { replaces }) }, signal)
    .catch((error) => {
      // Replaced already, unknown, or another account's: the certificate is needed all the same. Limits stay limits.
      if (replaces === undefined || !(error instanceof AcmeProblem) || error.status === 429 || error.kind === 'rateLimited')
        throw error
      return client.call('newOrder', wanted, signal)
    })
  const url = answer.field('location')
  if (url === undefined) throw new CaUnreachable('the CA made an order without a location')
  return { url, order: json(url, answer) }
}

/** The chain as a CA gave it, where it is for these names and no others, and clients take it. */
const issuedOf = (body: string, key: string, names: readonly string[]): Issued => {
  const fault = chainFault(body, key, names)
  if (fault !== undefined) throw new UselessCertificate(fault)
  const chain = parseChain(body)
  const stranger = chain.names.find((name) => !names.includes(name))
  if (stranger !== undefined) throw new UselessCertificate(`it is for ${stranger} too, which was not ordered`)
  const weak = clientFault(chain)
  if (weak !== undefined) throw new UselessCertificate(weak)
  return { chain: body, key, notBefore: chain.notBefore, notAfter: chain.notAfter }
}
