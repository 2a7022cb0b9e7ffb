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

  get size(): number {
    return this.#byId.size
  }
  get contexts(): number {
    return this.#contexts.size
  }

  install(certificates: readonly Certificate[]): void {
    const byId = new Map<string, Certificate>()
    const byName = new Map<string, Certificate>()
    for (const certificate of certificates) {
      byId.set(certificate.id, certificate)
      for (const name of certificate.names) {
        const other = byName.get(name)
        // Two for one name: the one that is good for longer.
        if (!other || other.notAfter < certificate.notAfter) byName.set(name, certificate)
      }
    }
    this.#byId = byId
    this.#byName = byName
    for (const [id, { of }] of this.#contexts) if (!same(byId.get(id), of)) this.#contexts.delete(id)
  }

  /** Exact names first, then the wildcard of the first label (RFC 9525 section 6.3). */
  find(host: string): Certificate | undefined {
    return this.#byName.get(host) ?? this.#byName.get(`*${host.slice(Math.max(0, host.indexOf('.')))}`)
  }

  /** Made at the first handshake that needs it; the one used longest ago goes when there are too many. Throws where PEM is broken. */
  context(certificate: Certificate): SecureContext {
    const found = this.#contexts.get(certificate.id)
    const kept = found && same(certificate, found.of) ? found : { of: certificate, context: this.#make(certificate) }
    this.#contexts.delete(certificate.id)
    this.#contexts.set(certificate.id, kept)
    if (this.#contexts.size > this.#most) for (const oldest of this.#contexts.keys()) return this.#evict(oldest, kept.context)
    return kept.context
  }
  #evict(id: string, context: SecureContext): SecureContext {
    this.#contexts.delete(id)
    return context
  }
  #make({ chain, key }: Certificate): SecureContext {
    return createSecureContext({ cert: chain, key, minVersion: this.#minVersion })
  }
}

const same = (a: Certificate | undefined, b: Certificate): boolean =>
  a !== undefined && (a === b || (a.chain === b.chain && a.key === b.key))
