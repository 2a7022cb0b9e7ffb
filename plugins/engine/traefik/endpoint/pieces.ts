/** One serialized thing of what a workload or a certificate adds to Traefik's document: a router, a service, a certificate. */
export interface Piece {
  readonly section: Section
  readonly name: string
  readonly json: string
}

/** Every place of Traefik's document that a part may fill; `list` where Traefik has an array. */
export const sections = [
  { layer: 'http', kind: 'routers', list: false },
  { layer: 'http', kind: 'services', list: false },
  { layer: 'http', kind: 'middlewares', list: false },
  { layer: 'http', kind: 'serversTransports', list: false },
  { layer: 'tcp', kind: 'routers', list: false },
  { layer: 'tcp', kind: 'services', list: false },
  { layer: 'tcp', kind: 'middlewares', list: false },
  { layer: 'tcp', kind: 'serversTransports', list: false },
  { layer: 'tls', kind: 'certificates', list: true },
  { layer: 'tls', kind: 'stores', list: false },
] as const
type Section = (typeof sections)[number]

/**
 * Cuts a part into pieces. Traefik reads the document as YAML and drops all of it for one wrong byte, so only names and texts pass that
 * mean the same in JSON and YAML. Throws an Error that says what does not.
 */
export const cut = (key: string, part: unknown): readonly Piece[] => {
  if (!isName(key)) throw new Error(`the key ${shown(key)} is not 1 to 256 letters, digits, '.', '-' and '_'`)
  const pieces: Piece[] = []
  for (const [layer, kinds] of entries(part, 'the part'))
    for (const [kind, things] of entries(kinds, layer)) {
      const section = sections.find((one) => one.layer === layer && one.kind === kind)
      if (!section) throw new Error(`there is no ${shown(layer)}.${shown(kind)} in the document`)
      if (section.list !== Array.isArray(things)) throw new Error(`${layer}.${kind} is ${section.list ? 'a list' : 'an object'}`)
      for (const [name, thing] of entries(things, kind)) {
        if (!isName(name)) throw new Error(`the name ${shown(name)} in ${layer}.${kind} is not letters, digits, '.', '-' and '_'`)
        checkTexts(thing, `${layer}.${kind}.${name}`)
        pieces.push({ section, name: section.list ? `${key} ${name}` : name, json: JSON.stringify(thing) })
      }
    }
  return pieces
}

const isName = (text: string): boolean => /^[A-Za-z0-9._-]{1,256}$/.test(text)
const shown = (text: string): string => JSON.stringify(text.slice(0, 64))

const entries = (value: unknown, where: string): [string, unknown][] => {
  if (typeof value !== 'object' || value === null) throw new Error(`${where} is no object`)
  return Object.entries(value)
}

/** Printable ASCII, tabs and line feeds (of PEM): all else has traps where JSON is read as YAML, and nothing of ours needs it. */
const checkTexts = (value: unknown, where: string, depth = 0): void => {
  if (depth > 16) throw new Error(`${where} is nested too deeply`)
  if (typeof value === 'string') {
    if (!/^[\x20-\x7e\t\n\r]*$/.test(value)) throw new Error(`a text in ${where} has other characters than printable ASCII`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      checkTexts(key, where)
      checkTexts(inner, where, depth + 1)
    }
  } else if (typeof value !== 'boolean' && !(typeof value === 'number' && Number.isFinite(value)))
    throw new Error(`${where} has a value that is neither text, number, boolean, list nor object`)
}
