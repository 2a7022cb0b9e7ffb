import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls'
import type { Certificate } from '../../../core/index.ts'

/** The certificates that are installed, and the TLS contexts of those in use, which cost about 50 KiB each. */
export class Certificates {
  readonly #most: number
  readonly #minVersion: SecureVersion
  #byId = new Map<string, Certificate>()
  #byName = new Map<string, Certificate>()
  /** In order of use, the last used last. */
  readonly #contexts = new Map<string, { readonly of: Certificate; readonly context: SecureContext }>()

  constructor(most: number, minVersion: SecureVersion) {
    this.#most = most
    this.#minVersion = minVersion
  }

  /** How many contexts there are. */
  get contexts(): number {
    return this.#contexts.size
  }

  /** Takes the whole list. Says which were not there before, or are others now: one more beside many costs little. */
  install(certificates: readonly Certificate[]): readonly Certificate[] {
    const fresh = certificates.filter((certificate) => this.#byId.get(certificate.id) !== certificate)
    const added = fresh.filter(({ id }) => !this.#byId.has(id))
    if (fresh.length > added.length || this.#byId.size + added.length > certificates.length) {
      this.#byId.clear()
      this.#byName.clear()
      for (const certificate of certificates) this.#add(certificate)
    } else for (const certificate of added) this.#add(certificate)
    for (const [id, { of }] of this.#contexts) if (!same(this.#byId.get(id), of)) this.#contexts.delete(id)
    return fresh
  }
  #add(certificate: Certificate): void {
    this.#byId.set(certificate.id, certificate)
    for (const name of certificate.names) {
      const other = this.#byName.get(name)
      // Two for one name: the one that is good for longer.
      if (!other || other.notAfter < certificate.notAfter) this.#byName.set(name, certificate)
    }
  }

  /** Exact names first, then the wildcard of the first label (RFC 9525 section 6.3). */
  find(host: string): Certificate | undefined {
    const dot = host.indexOf('.')
    return this.#byName.get(host) ?? (dot < 0 ? undefined : this.#byName.get(`*${host.slice(dot)}`))
  }

  /** Made at the first handshake that needs it, while others wait; the one used longest ago goes when there are too many. Throws where PEM is broken. */
  context(certificate: Certificate): SecureContext {
    const { id, chain: cert, key } = certificate
    const found = this.#contexts.get(id)
    const kept =
      found && same(certificate, found.of)
        ? found
        : { of: certificate, context: createSecureContext({ cert, key, minVersion: this.#minVersion }) }
    this.#contexts.delete(id)
    this.#contexts.set(id, kept)
    const [oldest] = this.#contexts.keys()
    if (this.#contexts.size > this.#most && oldest !== undefined) this.#contexts.delete(oldest)
    return kept.context
  }
}

const same = (a: Certificate | undefined, b: Certificate): boolean =>
  a !== undefined && (a === b || (a.chain === b.chain && a.key === b.key))
