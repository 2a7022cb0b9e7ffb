import { isOf, type Running } from './boot.ts'
import { certificateFault } from './certificate-check.ts'
import { type Entry, keyOf, newEntry, servedBy, stateOf, usable } from './certificate-entry.ts'
import { clockSteps, keepUnused, renewalOf } from './certificate-times.ts'
import { certificateWork } from './certificate-work.ts'
import { asGatewayError, GatewayError } from './errors.ts'
import type { Event } from './event.ts'
import type { Certificate, CertificateState, Route, Tls } from './operation.ts'
import type { Write } from './plugin.ts'

type Owner = Running<'resolver'>

const minute = 60_000
const sweepEvery = 5_000
/** Renewals, and questions when to renew, that a sweep begins: a clock that jumps makes no storm. */
const eachSweep = 5

/**
 * The life of certificates: obtained when the first route needs one, kept, renewed while a route uses it, pruned a while after the last.
 * A failure never takes away what is served.
 */
export const certificates = (o: {
  commit(writes: readonly Write[]): Promise<void>
  /** Has the engine serve what `all` lists. */
  install(): Promise<void>
  /** True where the engine gets this one by itself. */
  issues(tls: Tls): boolean
  /** The resolver of this label. */
  resolver(label: string): Owner | undefined
  emit(event: Event): void
}) => {
  const entries = new Map<string, Entry>()
  const stop = new AbortController()
  const stepped = clockSteps()

  const served = (entry: Entry) => entry.installed === true && usable(entry.certificate)
  const entryOf = (route: Route, owner: Owner | undefined): Entry | undefined => {
    const { tls } = route
    if (tls.mode === 'passthrough' || o.issues(tls)) return undefined
    const key = keyOf(tls.resolver, tls.names)
    const entry = entries.get(key) ?? newEntry(tls.resolver, tls.names, owner)
    entries.set(key, entry)
    if (owner) entry.owner = owner
    return entry
  }
  const alarm = (error: unknown) => o.emit({ type: 'alarm', ...problemOf(error) })
  const { say, attempt, start, save, bridge, ask } = certificateWork({ ...o, signal: stop.signal })
  const forget = async (entry: Entry, why: string) => {
    if (entries.get(keyOf(entry.resolver, entry.names)) === entry) entries.delete(keyOf(entry.resolver, entry.names))
    if (!entry.certificate) return
    say(entry, 'dropped', why)
    await o.install()
    await o.commit([{ drop: entry.id }])
  }
  let resting = false
  const sweep = () => {
    if (resting) return
    const step = stepped()
    if (step !== 0) o.emit({ type: 'alarm', ...clockSet(step) })
    let [renewals, questions] = [eachSweep, 2 * eachSweep]
    const now = Date.now()
    for (const entry of entries.values()) {
      // A wait is so long whatever the clock says.
      if (step !== 0 && (entry.failures > 0 || entry.next === entry.rests)) entry.next += step
      if (entry.rests > 0) entry.rests += step
      if (entry.unsaved && !entry.busy && entry.certificate) {
        const { certificate } = entry
        entry.busy = save(entry, () => o.commit([{ certificate }])).finally(() => delete entry.busy)
      } else if (entry.users > 0 && entry.certificate && entry.owner?.hooks.renewAt && entry.ask <= now) {
        if (questions-- > 0) void ask(entry)
      } else if (entry.next > now || entry.asking || entry.busy) continue
      else if (entry.users === 0) forget(entry, 'no workload has used it for a week').catch(alarm)
      else if (!entry.certificate || renewals-- > 0) start(entry)
    }
  }
  /** What another tenant had for this host and no longer uses: its key and certificate are not this one's to serve. */
  const leftBy = ({ tls, tenant }: Route): Entry | undefined => {
    const entry = tls.mode === 'terminate' ? entries.get(keyOf(tls.resolver, tls.names)) : undefined
    return entry?.users === 0 && entry.tenant !== undefined && entry.tenant !== tenant ? entry : undefined
  }
  const timer = setInterval(sweep, sweepEvery)
  timer.unref()
  const byId = (id: string): Entry => {
    const entry = entries.values().find((one) => one.id === id)
    if (entry) return entry
    throw new GatewayError('NOT_FOUND', `there is no certificate '${id}'`, 'gateway certs lists them')
  }

  return {
    /** What the store had. One that is of no use is not served, and another one takes its place in the store. */
    load(stored: readonly Certificate[]) {
      for (const certificate of stored) {
        const { id, resolver, names } = certificate
        const key = keyOf(resolver, names)
        const fault = certificateFault(certificate)
        if (fault === undefined)
          entries.set(key, { ...newEntry(resolver, names), id, certificate, installed: true, next: Date.now() + keepUnused })
        else o.emit({ type: 'alarm', ...uselessStored(certificate, fault) })
      }
    },
    /** Before a route is served. Where the resolver answers at once: gets what the route lacks, and returns the writes to commit with the route. */
    async prepare(route: Route, owner: Owner | undefined): Promise<readonly Write[]> {
      const left = leftBy(route)
      if (left) await forget(left, 'another tenant has the name now').catch(alarm)
      if (owner?.hooks.pace !== 'instant') return []
      const entry = entryOf(route, owner)
      if (!entry || served(entry)) return []
      let writes: readonly Write[] = []
      await attempt(entry, (made) => {
        writes = made
      })
      return writes
    },
    use(route: Route, owner: Owner | undefined) {
      const entry = entryOf(route, owner)
      if (!entry) return
      if (entry.names.length === 1 && entry.names[0] === route.host) entry.tenant = route.tenant
      if (entry.users++ === 0 && entry.certificate) entry.next = Math.max(renewalOf(entry.certificate), entry.rests)
      if (entry.error || usable(entry.certificate)) return
      if (!entry.busy) say(entry, 'pending')
      bridge(entry).catch(alarm)
      start(entry)
    },
    drop(route: Route) {
      const entry = entryOf(route, undefined)
      if (entry && --entry.users <= 0) entry.next = Date.now() + keepUnused
    },
    /** Resolves when the route's certificate is there; rejects with CERT_PENDING when getting it failed or `signal` ended. */
    async ready(route: Route, signal: AbortSignal): Promise<void> {
      const entry = entryOf(route, undefined)
      if (!entry || served(entry)) return
      // After a failure the back-off decides, not how often callers ask.
      if (entry.busy || !entry.error) await Promise.race([attempt(entry), aborted(signal)])
      if (usable(entry.certificate)) return
      const next = entry.next > 0 ? `; next try at ${new Date(entry.next).toISOString()}` : ''
      throw new GatewayError(
        'CERT_PENDING',
        `no certificate for ${entry.names.join(', ')} yet: ${entry.error ? entry.error.message : 'still being obtained'}`,
        `the route stands${next}${entry.error ? `; ${entry.error.fix}` : ''}`,
      )
    },
    /** All that the engine is to have. */
    all: (): readonly Certificate[] => [...entries.values()].flatMap((entry) => servedBy(entry) ?? []),
    list: (): readonly CertificateState[] => [...entries.values()].map(stateOf),
    of: ({ tls }: Route): CertificateState | undefined => {
      const entry = tls.mode === 'terminate' ? entries.get(keyOf(tls.resolver, tls.names)) : undefined
      return entry && stateOf(entry)
    },
    async renew(id: string): Promise<void> {
      const entry = byId(id)
      await entry.busy
      await attempt(entry)
      if (!entry.error || entry.failures === 0) return
      const { code, message, fix, retryAt } = entry.error
      throw new GatewayError(code, `renewing '${id}' failed: ${message}`, `${fix}; what was served is served on`, { retryAt })
    },
    /** Has its issuer revoke the certificate, behind a new one where workloads use it and one is to be had. */
    async revoke(id: string): Promise<void> {
      const entry = byId(id)
      const { certificate, owner } = entry
      if (!certificate || !owner?.hooks.revoke)
        throw new GatewayError(
          'BAD_REQUEST',
          `'${id}' cannot be revoked`,
          certificate ? `'${entry.resolver}' revokes nothing` : 'there is none yet',
        )
      await entry.busy
      if (entry.users > 0) await attempt(entry)
      await owner.hooks.revoke(certificate, AbortSignal.any([stop.signal, AbortSignal.timeout(minute)]))
      if (entry.certificate !== certificate) return
      await forget(entry, 'it was revoked')
      if (entry.users === 0) return
      delete entry.certificate
      entries.set(keyOf(entry.resolver, entry.names), entry)
      await o.install()
    },
    /** Obtains again what this resolver gave. */
    refresh(plugin: Running['plugin']) {
      for (const entry of entries.values()) if (entry.owner?.plugin === plugin && entry.users > 0) attempt(entry)
    },
    /** The resolvers are others now: each entry goes to the one of its label. */
    adopt(resolvers: readonly Running[]) {
      for (const entry of entries.values())
        if (entry.owner && !resolvers.includes(entry.owner)) {
          const heir = resolvers.find((running) => running.plugin.name === entry.owner?.plugin.name)
          entry.owner = heir && isOf(heir, 'resolver') ? heir : undefined
        }
    },
    /** Begins nothing until it is told to go on; resolves when what runs has ended, within a few seconds. */
    async rest(rests: boolean) {
      resting = rests
      if (!rests) return
      const late = new Promise((done) => setTimeout(done, 5_000).unref())
      await Promise.race([late, Promise.allSettled([...entries.values()].map(({ busy }) => busy))])
    },
    async close() {
      clearInterval(timer)
      stop.abort()
      await Promise.allSettled([...entries.values()].map(({ busy }) => busy))
    },
  }
}
export type Certificates = ReturnType<typeof certificates>

const uselessStored = ({ names }: Certificate, fault: string) => ({
  code: 'CERT_INVALID',
  message: `the stored certificate for ${names.join(', ')} is not served: ${fault}`,
  fix: 'nothing: another one is obtained as soon as a workload uses it',
})
const clockSet = (step: number) => ({
  code: 'CLOCK_SKEW',
  message: `the clock of this machine was set ${step > 0 ? 'forward' : 'back'} by ${Math.round(Math.abs(step) / 1_000)} s`,
  fix: 'see that it is right now: certificates are renewed by it',
})
const problemOf = (error: unknown) => {
  const { code, message, fix } = asGatewayError(error)
  return { code, message, fix }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
