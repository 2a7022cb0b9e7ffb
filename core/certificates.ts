import { createHash } from 'node:crypto'
import { isOf, type Running } from './boot.ts'
import { GatewayError, reason } from './errors.ts'
import type { Event } from './event.ts'
import type { Certificate, Route, Tls } from './operation.ts'
import type { CertificateState, Write } from './plugin.ts'

type Owner = Running<'resolver'>
interface Entry {
  readonly id: string
  readonly resolver: string
  readonly names: readonly string[]
  owner: Owner | undefined
  users: number
  certificate?: Certificate
  error?: string
  failures: number
  /** Milliseconds since 1970: when to obtain, renew or prune. */
  next: number
  busy?: Promise<void>
  /** The engine has had a certificate of this entry. */
  installed?: boolean
}

const minute = 60_000
const day = 24 * 60 * minute
/** After the first, second, third failure; then daily. */
const backOff = [1 * minute, 10 * minute, 100 * minute, day]
const keepUnused = 7 * day
const sweepEvery = 5_000
/** How many are obtained at once. */
const parallel = 10
const obtainLimit = 10 * minute

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
  emit(event: Event): void
}) => {
  const entries = new Map<string, Entry>()
  const stop = new AbortController()
  let active = 0

  const usable = (certificate: Certificate | undefined) =>
    certificate !== undefined && certificate.notAfter.getTime() > Date.now()
  const served = (entry: Entry) => entry.installed === true && usable(entry.certificate)
  const entryOf = (route: Route, owner: Owner | undefined): Entry | undefined => {
    const { tls } = route
    if (tls.mode === 'passthrough' || o.issues(tls)) return undefined
    const key = keyOf(tls.resolver, tls.names)
    let entry = entries.get(key)
    if (!entry) {
      entry = { id: idOf(tls.resolver, key), resolver: tls.resolver, names: tls.names, owner, users: 0, failures: 0, next: 0 }
      entries.set(key, entry)
    }
    if (owner) entry.owner = owner
    return entry
  }
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
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(obtainLimit)])
    const got = await owner.hooks.obtain(entry.names, signal, entry.certificate)
    const certificate: Certificate = Object.freeze({ ...got, id: entry.id, resolver: entry.resolver, names: entry.names })
    entry.certificate = certificate
    delete entry.error
    entry.failures = 0
    await schedule(entry, certificate, signal)
    await o.install()
    entry.installed = true
    say(entry, 'ready')
    return owner.hooks.durable === false ? [] : [{ certificate }]
  }
  const schedule = async (entry: Entry, certificate: Certificate, signal: AbortSignal) => {
    const asked = await entry.owner?.hooks.renewAt?.(certificate, signal)
    const life = certificate.notAfter.getTime() - certificate.notBefore.getTime()
    // A little apart, so that what was obtained together is not renewed together.
    entry.next = asked?.getTime() ?? certificate.notBefore.getTime() + life * (2 / 3 - Math.random() * 0.03)
  }
  const fail = (entry: Entry, error: unknown) => {
    if (stop.signal.aborted) return
    entry.error = reason(error)
    const wait = backOff[Math.min(entry.failures++, backOff.length - 1)] ?? day
    entry.next = Date.now() + wait * (1 + Math.random() * 0.1)
    say(entry, 'failed', entry.error)
  }
  /** One try; never rejects. Callers that come meanwhile share it, and only the first one's `keep` gets the writes. */
  const attempt = (entry: Entry, keep: (writes: readonly Write[]) => void | Promise<void> = o.commit): Promise<void> => {
    entry.busy ??= obtain(entry)
      .then(keep)
      .catch((error) => fail(entry, error))
      .finally(() => delete entry.busy)
    return entry.busy
  }
  const start = (entry: Entry) => {
    if (entry.busy || stop.signal.aborted || active >= parallel) return
    active++
    attempt(entry).finally(() => active--)
  }
  const prune = async (entry: Entry) => {
    entries.delete(keyOf(entry.resolver, entry.names))
    if (!entry.certificate) return
    say(entry, 'dropped', 'no workload has used it for a week')
    await o.install()
    await o.commit([{ drop: entry.id }])
  }
  const sweep = () => {
    const now = Date.now()
    for (const entry of entries.values())
      if (entry.next <= now) entry.users > 0 ? start(entry) : prune(entry).catch((error) => fail(entry, error))
  }
  const timer = setInterval(sweep, sweepEvery)
  timer.unref()

  return {
    /** What the store had, as long as it has not run out. */
    load(stored: readonly Certificate[]) {
      for (const certificate of stored) {
        const { id, resolver, names } = certificate
        entries.set(keyOf(resolver, names), {
          id,
          resolver,
          names,
          owner: undefined,
          users: 0,
          failures: 0,
          next: Date.now() + keepUnused,
          certificate,
          installed: true,
        })
      }
    },
    /** Where the resolver answers at once: gets what the route lacks, and returns the writes to commit with the route. */
    async prepare(route: Route, owner: Owner | undefined): Promise<readonly Write[]> {
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
      if (entry.users++ === 0 && entry.certificate)
        schedule(entry, entry.certificate, stop.signal).catch((error) => fail(entry, error))
      if (entry.error || usable(entry.certificate)) return
      if (!entry.busy) say(entry, 'pending')
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
      const next = new Date(entry.next).toISOString()
      throw new GatewayError(
        'CERT_PENDING',
        `no certificate for ${entry.names.join(', ')} yet: ${entry.error ?? 'still being obtained'}`,
        `the route stands; next try at ${next}`,
      )
    },
    /** All that the engine is to have. */
    all: (): readonly Certificate[] => [...entries.values()].flatMap(({ certificate }) => (certificate ? [certificate] : [])),
    list: (): readonly CertificateState[] => [...entries.values()].map(stateOf),
    async renew(id: string): Promise<void> {
      const entry = entries.values().find((one) => one.id === id)
      if (!entry) throw new GatewayError('NOT_FOUND', `there is no certificate '${id}'`, 'gateway certs lists them')
      await entry.busy
      await attempt(entry)
      if (entry.error)
        throw new GatewayError('CERT_PENDING', `renewing '${id}' failed: ${entry.error}`, 'what was served is served on')
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
    async close() {
      clearInterval(timer)
      stop.abort()
      await Promise.allSettled([...entries.values()].map(({ busy }) => busy))
    },
  }
}
export type Certificates = ReturnType<typeof certificates>

/** The same resolver and names make the same certificate. */
const keyOf = (resolver: string, names: readonly string[]): string => `${resolver} ${names.join(' ')}`
const idOf = (resolver: string, key: string): string =>
  `${resolver}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`

const stateOf = ({ id, resolver, names, users, certificate, error, next }: Entry): CertificateState => ({
  id,
  resolver,
  names,
  users,
  state: certificate ? 'ready' : error ? 'failed' : 'pending',
  ...(certificate && { certificate }),
  ...(error && { error }),
  ...(next > 0 && { next: new Date(next) }),
})

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
