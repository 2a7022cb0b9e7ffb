/** One line of an exposition. Times and comments are left out. */
export type TakeSample = (name: string, labels: ReadonlyMap<string, string>, value: number) => void

/**
 * Reads the text format of Prometheus, version 0.0.4 and what later versions add to its names ("Exposition formats", Prometheus docs):
 * every sample of a `wanted` name, or of all names. Lines of other names are passed over unread. Throws with the number of the line
 * that is wrong; labels may be read only within `take`.
 */
export const readSamples = (text: string, take: TakeSample, wanted?: ReadonlySet<string>): void => {
  let number = 0
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at)
    const end = found < 0 ? text.length : found
    number++
    const first = text.charCodeAt(at)
    if (first !== hash && end > at && (!wanted || isWanted(text, at, end, wanted))) {
      const line = new Line(text.slice(at, end))
      try {
        line.read(take, wanted)
      } catch (error) {
        throw new Error(`line ${number}: ${error instanceof Error ? error.message : error}`)
      }
    }
    at = end + 1
  }
}

const hash = 35

/** A quoted name, or a line that begins with a blank, is looked at closely. */
const isWanted = (text: string, at: number, end: number, wanted: ReadonlySet<string>): boolean => {
  let to = at
  while (to < end && isWord(text.charCodeAt(to))) to++
  return to === at || wanted.has(text.slice(at, to))
}
const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 58) || code === 95

const bare = /[A-Za-z_:][A-Za-z0-9_:]*/y
const bareLabel = /[A-Za-z_][A-Za-z0-9_]*/y
const quoted = /"(?:[^"\\]|\\.)*"/y
const word = /[^ \t]+/y
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const special = /^([+-]?)(?:(inf|infinity)|nan)$/i

class Line {
  readonly #text: string
  #at = 0
  constructor(text: string) {
    this.#text = text
  }

  read(take: TakeSample, wanted: ReadonlySet<string> | undefined): void {
    this.#blanks()
    if (this.#at === this.#text.length || this.#text[this.#at] === '#') return
    let name = this.#match(bare)
    const labels = new Map<string, string>()
    this.#blanks()
    if (this.#text[this.#at] === '{') name = this.#labels(labels, name)
    if (name === undefined) throw new Error('there is no metric name')
    this.#blanks()
    const value = numberOf(this.#match(word) ?? '')
    this.#blanks()
    const time = this.#match(word)
    if (time !== undefined && !/^[+-]?\d+$/.test(time)) throw new Error(`'${time}' is no time`)
    this.#blanks()
    if (this.#at < this.#text.length) throw new Error('something follows the time')
    if (!wanted || wanted.has(name)) take(name, labels, value)
  }

  /** Behind the brace; a quoted name of the metric itself stands among them. */
  #labels(labels: Map<string, string>, given: string | undefined): string | undefined {
    let name = given
    this.#at++
    for (;;) {
      this.#blanks()
      if (this.#take('}')) return name
      const inQuotes = this.#quoted()
      const key = inQuotes ?? this.#match(bareLabel)
      if (key === undefined) throw new Error('a label has no name')
      this.#blanks()
      if (this.#take('=')) {
        this.#blanks()
        const value = this.#quoted()
        if (value === undefined) throw new Error(`the value of label '${key}' is not in quotes`)
        if (labels.has(key)) throw new Error(`label '${key}' stands twice`)
        labels.set(key, value)
      } else if (inQuotes !== undefined && name === undefined) name = inQuotes
      else throw new Error(`label '${key}' has no value`)
      this.#blanks()
      if (!this.#take(',') && this.#text[this.#at] !== '}') throw new Error('a comma or a closing brace is missing')
    }
  }
  #quoted(): string | undefined {
    const found = this.#match(quoted)
    if (found === undefined) return undefined
    const inside = found.slice(1, -1)
    return inside.includes('\\') ? inside.replace(/\\(.)/g, (_, code: string) => unescaped(code)) : inside
  }
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }
  #blanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
  }
}

const unescaped = (code: string): string => {
  if (code === 'n') return '\n'
  if (code === '"' || code === '\\') return code
  throw new Error(`there is no escape \\${code}`)
}

/** As Go's strconv.ParseFloat, without hexadecimal. */
const numberOf = (text: string): number => {
  if (decimal.test(text)) return Number(text)
  const found = special.exec(text)
  if (!found) throw new Error(`'${text}' is no number`)
  if (!found[2]) return Number.NaN
  return found[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}
