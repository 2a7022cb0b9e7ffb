import type { Certificate } from '../../../core/index.ts'
import { canonicalHost, covers } from '../../../lib/host.ts'
import { certificateDocument, certificateName } from './shared.ts'

/** The certificates that the gateway got and Traefik serves, one document each. */
export class Certificates {
  #taken = new Map<string, { readonly chain: string; readonly key: string; readonly text: string }>()
  #exact = new Set<string>()
  #wild: readonly string[] = []

  /** Takes them all, and returns what changed: documents to write, and names of those that go. */
  take(given: readonly Certificate[]): { readonly write: ReadonlyMap<string, string>; readonly remove: readonly string[] } {
    const all = given.filter(({ names }) => names.every(isName))
    const before = this.#taken
    const write = new Map<string, string>()
    this.#taken = new Map()
    for (const certificate of all) {
      const name = certificateName(certificate)
      const { chain, key } = certificate
      const had = before.get(name)
      const same = had?.chain === chain && had.key === key
      const text = same ? had.text : JSON.stringify(certificateDocument(certificate))
      this.#taken.set(name, { chain, key, text })
      if (!same) write.set(name, text)
    }
    const names = all.flatMap((certificate) => certificate.names)
    this.#exact = new Set(names.filter((name) => !name.startsWith('*')))
    this.#wild = names.filter((name) => name.startsWith('*'))
    return { write, remove: [...before.keys()].filter((name) => !this.#taken.has(name)) }
  }
  get documents(): ReadonlyMap<string, string> {
    return new Map([...this.#taken].map(([name, { text }]) => [name, text]))
  }
  covers(host: string): boolean {
    return this.#exact.has(host) || this.#wild.some((name) => covers(name, host))
  }
}

/** Traefik takes a name with a comma in it for two, and would show that certificate for somebody else's host. */
const isName = (name: string): boolean => {
  const host = name.replace(/^\*\./, '')
  return canonicalHost(host) !== undefined
}
