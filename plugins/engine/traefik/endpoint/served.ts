import { cut, type Piece, sections } from './pieces.ts'

/** Of this many drawers a change serializes one anew; the others are sent as they are. */
const drawers = 256
/**
 * Traefik reads the document as YAML, and its reader compares each key of a map with every other: of 10,000 routes that is most of its
 * work. So a map of more keys than this is written as a YAML merge (`<<`, https://yaml.org/type/merge.html) of many small ones.
 */
const fewKeys = 100
const plainMap = ['{', ',\n', '}'] as const
const plainList = ['[', ',\n', ']'] as const
const mergedMap = [' {<<: [{', '},\n{', '}]}'] as const
interface Drawer {
  readonly pieces: Map<string, string>
  bytes: Buffer | undefined
}

export interface Checked {
  readonly key: string
  readonly json: string
  readonly pieces: readonly Piece[]
}

/** The document as it is served: pieces in drawers, each drawer one buffer, so that a change costs a 256th of the document and a body no copy. */
export class Served {
  readonly #sections = sections.map((section) => ({
    ...section,
    drawers: [] as (Drawer | undefined)[],
    owners: new Map<string, string>(),
  }))
  readonly #parts = new Map<string, { readonly json: string; readonly pieces: readonly Piece[] }>()
  #body: readonly Buffer[] | undefined

  get size(): number {
    return this.#parts.size
  }
  get keys(): Iterable<string> {
    return this.#parts.keys()
  }
  /** Every part as JSON. */
  *all(): Iterable<readonly [string, string]> {
    for (const [key, { json }] of this.#parts) yield [key, json]
  }
  /** The JSON that a key has. */
  part(key: string): string | undefined {
    return this.#parts.get(key)?.json
  }

  /** Makes a part, given as JSON, ready to be put. Throws where it can not be served. */
  check(key: string, json: string): Checked {
    const pieces = cut(key, JSON.parse(json))
    for (const { section, name } of pieces) {
      const owner = this.#at(section).owners.get(name)
      if (owner !== undefined && owner !== key)
        throw new Error(`${section.layer}.${section.kind} has a ${name} already, of ${owner}`)
    }
    return { key, json, pieces }
  }

  /** Puts the part in the place of what the key had. */
  put({ key, json, pieces }: Checked): void {
    this.remove(key)
    for (const piece of pieces) {
      const at = this.#at(piece.section)
      at.owners.set(piece.name, key)
      const drawer = at.drawers[drawerOf(piece.name)] ?? { pieces: new Map(), bytes: undefined }
      at.drawers[drawerOf(piece.name)] = drawer
      drawer.pieces.set(piece.name, at.list ? piece.json : `${JSON.stringify(piece.name)}:${piece.json}`)
      drawer.bytes = undefined
    }
    this.#parts.set(key, { json, pieces })
    this.#body = undefined
  }

  remove(key: string): void {
    for (const { section, name } of this.#parts.get(key)?.pieces ?? []) {
      const at = this.#at(section)
      at.owners.delete(name)
      const drawer = at.drawers[drawerOf(name)]
      drawer?.pieces.delete(name)
      if (drawer) drawer.bytes = undefined
    }
    if (this.#parts.delete(key)) this.#body = undefined
  }

  /** The whole document. A section without pieces is left out: Traefik refuses an empty one. */
  body(): readonly Buffer[] {
    this.#body ??= [...this.#layers()]
    return this.#body
  }

  *#layers(): Iterable<Buffer> {
    let before = '{'
    for (const layer of new Set(sections.map((section) => section.layer))) {
      const filled = this.#sections.filter((section) => section.layer === layer && section.owners.size > 0)
      for (const [n, { kind, list, drawers, owners }] of filled.entries()) {
        const [open, between, close] = list ? plainList : owners.size > fewKeys ? mergedMap : plainMap
        let text = `${n === 0 ? `${before}${JSON.stringify(layer)}:{` : ','}${JSON.stringify(kind)}:${open}`
        for (const drawer of drawers) {
          if (!drawer?.pieces.size) continue
          drawer.bytes ??= Buffer.from([...drawer.pieces.values()].join(',\n'))
          yield Buffer.from(text)
          yield drawer.bytes
          text = between
        }
        yield Buffer.from(close)
      }
      if (filled.length === 0) continue
      yield Buffer.from('}')
      before = ','
    }
    yield Buffer.from(before === '{' ? '{}' : '}')
  }

  #at(section: Piece['section']) {
    const at = this.#sections.find(({ layer, kind }) => layer === section.layer && kind === section.kind)
    if (!at) throw new Error(`no section ${section.layer}.${section.kind}`)
    return at
  }
}

/** FNV-1a over the name. */
const drawerOf = (name: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % drawers
}
