import type { Certificate } from '../../../core/index.ts'
import { covers } from '../../../lib/host.ts'
import { certificateDocument, certificateFile } from './shared.ts'
import { yaml } from './yaml.ts'

/** The certificates that the gateway got and Traefik serves, one file each. */
export class Certificates {
  #files = new Map<string, string>()
  #exact = new Set<string>()
  #wild: readonly string[] = []

  /** Takes them all, and returns what changed: files to write and files to delete. */
  take(all: readonly Certificate[]): { readonly write: ReadonlyMap<string, string>; readonly remove: readonly string[] } {
    const next = new Map(all.map((certificate) => [certificateFile(certificate), yaml(certificateDocument(certificate))]))
    const write = new Map([...next].filter(([name, text]) => this.#files.get(name) !== text))
    const remove = [...this.#files.keys()].filter((name) => !next.has(name))
    const names = all.flatMap((certificate) => certificate.names)
    this.#files = next
    this.#exact = new Set(names.filter((name) => !name.startsWith('*')))
    this.#wild = names.filter((name) => name.startsWith('*'))
    return { write, remove }
  }
  get files(): ReadonlyMap<string, string> {
    return this.#files
  }
  covers(host: string): boolean {
    return this.#exact.has(host) || this.#wild.some((name) => covers(name, host))
  }
}
