/** Live TXT values by canonical name, as a name server is to answer them. Several of one name stand side by side. */
export interface LiveValues {
  /** False where it was there. */
  add(name: string, value: string): boolean
  /** False where it was not there. */
  remove(name: string, value: string): boolean
  has(name: string, value: string): boolean
  of(name: string): readonly string[]
  /** Every name that has a value, with its values. */
  all(): ReadonlyMap<string, readonly string[]>
  readonly size: number
  /** For `restoreValues`. */
  encode(): Uint8Array
}

/** What `encode` gave, without what is older than `maxAge` milliseconds: nobody waits for a challenge that long. */
export const restoreValues = (saved: Uint8Array | undefined, maxAge: number, now: () => number = Date.now): LiveValues => {
  const live = new Map<string, Map<string, number>>()
  const put = (name: string, value: string, since: number): void => {
    const values = live.get(name) ?? new Map<string, number>()
    live.set(name, values.set(value, since))
  }
  for (const [name, value, since] of decode(saved)) if (now() - since < maxAge) put(name, value, since)
  return {
    add(name, value) {
      const fresh = !live.get(name)?.has(value)
      put(name, value, now())
      return fresh
    },
    remove(name, value) {
      const values = live.get(name)
      const had = values?.delete(value) ?? false
      if (values?.size === 0) live.delete(name)
      return had
    },
    has: (name, value) => live.get(name)?.has(value) ?? false,
    of: (name) => [...(live.get(name)?.keys() ?? [])],
    all: () => new Map([...live].map(([name, values]) => [name, [...values.keys()]])),
    get size() {
      return [...live.values()].reduce((sum, { size }) => sum + size, 0)
    },
    encode() {
      const rows = [...live].flatMap(([name, values]) => [...values].map(([value, since]) => [name, value, since]))
      return new TextEncoder().encode(JSON.stringify(rows))
    },
  }
}

type Row = readonly [name: string, value: string, since: number]
const decode = (saved: Uint8Array | undefined): readonly Row[] => {
  if (!saved) return []
  try {
    const rows: unknown = JSON.parse(new TextDecoder().decode(saved))
    return Array.isArray(rows) ? rows.filter(isRow) : []
  } catch {
    return []
  }
}
const isRow = (row: unknown): row is Row =>
  Array.isArray(row) && typeof row[0] === 'string' && typeof row[1] === 'string' && typeof row[2] === 'number'
