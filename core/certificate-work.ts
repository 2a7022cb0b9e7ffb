import type { Running } from './boot.ts'
import { checkCertificate } from './certificate-check.ts'
import { type Entry, usable } from './certificate-entry.ts'
import { askEvery, keepUnused, latest, renewalOf, restOf, soonest, waitAfter } from './certificate-times.ts'
import { asGatewayError, GatewayError, reason } from './errors.ts'
import type { Event } from './event.ts'
import type { Certificate } from './operation.ts'
import type { Write } from './plugin.ts'

const minute = 60_000
/** Of resolvers without a queue of their own how many are obtained at once. */
const parallel = 10
const obtainLimit = 10 * minute

/** What is done for one entry at a time: obtain, save, serve something meanwhile, ask when to renew. */
export const certificateWork = (o: {
  commit(writes: readonly Write[]): Promise<void>
  install(): Promise<void>
  resolver(label: string): Running<'resolver'> | undefined
  emit(event: Event): void
  signal: AbortSignal
}) => {
  let active = 0

  const say = (entry: Entry, state: Extract<Event, { type: 'certificate' }>['state'], why?: string) =>
    o.emit({ type: 'certificate', id: entry.id, names: entry.names, state, ...(why && { reason: why }) })

  /** Gets one and has it served; the writes that make it durable are the caller's to commit. Rejects when it could not. */
  const obtain = async (entry: Entry): Promise<readonly Write[]> => {
    const owner = entry.owner
    if (!owner?.hooks.obtain)
      throw new GatewayError(
        'NO_RESOLVER',
        `no resolver gets a certificate for ${entry.names.join(', ')}`,
        `add the plugin of '${entry.resolver}'`,
      )
    const limits = owner.hooks.queues ? [o.signal] : [o.signal, AbortSignal.timeout(obtainLimit)]
    const got = await owner.hooks.obtain(entry.names, AbortSignal.any(limits), entry.certificate)
    const { id, resolver, names } = entry
    const { certificate, warning } = checkCertificate({ ...parts(got), id, resolver, names }, entry.certificate)
    await serve(entry, certificate)
    entry.failures = 0
    const due = renewalOf(certificate)
    entry.rests = due > Date.now() ? 0 : Date.now() + restOf(certificate)
    entry.soonest = Date.now() + restOf(certificate)
    entry.next = entry.users > 0 ? Math.max(due, entry.rests) : Date.now() + keepUnused
    entry.ask = 0
    const wrong = got.warning ?? warning
    if (wrong) entry.error = wrong
    else delete entry.error
    say(entry, 'ready')
    return owner.hooks.durable === false ? [] : [{ certificate }]
  }
  /** Has the engine serve it. Where the engine cannot, what was served before stays. */
  const serve = async (entry: Entry, certificate: Certificate): Promise<void> => {
    const { certificate: before, stopgap } = entry
    entry.certificate = certificate
    delete entry.stopgap
    try {
      await o.install()
      entry.installed = true
    } catch (error) {
      if (before) entry.certificate = before
      else delete entry.certificate
      if (stopgap) entry.stopgap = stopgap
      throw error
    }
  }
  const fail = (entry: Entry, thrown: unknown) => {
    if (o.signal.aborted) return
    const error = named(thrown)
    entry.error = error
    // An order that goes on is no failure: it is looked after when its resolver says.
    const goesOn = error.code === 'ORDER_PENDING' && error.retryAt !== undefined
    const wait = goesOn ? minute : waitAfter(++entry.failures)
    // A CA that says when to come back is not asked before.
    entry.next = Math.max(Date.now() + wait, error.retryAt?.getTime() ?? 0)
    say(entry, goesOn ? 'pending' : 'failed', `${error.code}: ${error.message}`)
  }
  const save = async (entry: Entry, keep: () => void | Promise<void>) => {
    try {
      entry.unsaved = true
      await keep()
      entry.unsaved = false
      if (entry.error?.code === 'STORAGE') delete entry.error
    } catch (error) {
      // It is served; only the writing is tried again, with no other order.
      entry.error = asGatewayError(error)
    }
  }
  /** One try; never rejects. Callers that come meanwhile share it, and only the first one's `keep` gets the writes. */
  const attempt = (entry: Entry, keep: (writes: readonly Write[]) => void | Promise<void> = o.commit): Promise<void> => {
    entry.busy ??= obtain(entry)
      .then(
        (writes) => save(entry, () => keep(writes)),
        (error) => fail(entry, error),
      )
      .finally(() => delete entry.busy)
    return entry.busy
  }
  const start = (entry: Entry) => {
    if (entry.busy || o.signal.aborted) return
    if (entry.owner?.hooks.queues) return void attempt(entry)
    if (active >= parallel) return
    active++
    attempt(entry).finally(() => active--)
  }
  /** Has another resolver's certificate served until there is one, where the owner wants that. */
  const bridge = async (entry: Entry) => {
    const label = entry.owner?.hooks.meanwhile
    if (label === undefined || entry.stopgap || usable(entry.certificate)) return
    const other = o.resolver(label)
    if (!other?.hooks.obtain || other === entry.owner)
      throw new GatewayError('PLUGIN_MISSING', `there is no resolver '${label}' to serve meanwhile`, 'add it to the plugins')
    const made = await other.hooks.obtain(entry.names, AbortSignal.any([o.signal, AbortSignal.timeout(minute)]))
    if (usable(entry.certificate)) return
    const { certificate } = checkCertificate({ ...parts(made), id: entry.id, resolver: label, names: entry.names })
    entry.stopgap = certificate
    await o.install()
  }
  const ask = async (entry: Entry) => {
    const { certificate, owner } = entry
    if (!certificate || !owner?.hooks.renewAt || entry.asking) return
    entry.asking = true
    entry.ask = Date.now() + askEvery * (1 - Math.random() * 0.1)
    try {
      const at = await owner.hooks.renewAt(certificate, AbortSignal.any([o.signal, AbortSignal.timeout(minute)]))
      // After a failure the back-off decides; and what ends before its own renewal is renewed by the rule.
      const renewable = at && at < certificate.notAfter && entry.failures === 0 && entry.certificate === certificate
      if (renewable && entry.users > 0)
        entry.next = Math.max(Math.min(at.getTime(), latest(certificate)), soonest(certificate), entry.soonest, entry.rests)
    } catch {
      // It says nothing now: what was known holds.
    } finally {
      delete entry.asking
    }
  }
  return { say, attempt, start, save, bridge, ask }
}

/** Of what a resolver gave, what the core takes from it: names and dates are read out of the certificate itself. */
const parts = ({ chain, key, notBefore, notAfter }: Certificate) => ({ chain, key, notBefore, notAfter })

/** What a resolver threw that is no error with a code is a certificate that is not there yet. */
const named = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError
    ? thrown
    : new GatewayError('CERT_PENDING', reason(thrown), 'see the log of the gateway; it is tried again by itself', {
        cause: thrown,
      })
