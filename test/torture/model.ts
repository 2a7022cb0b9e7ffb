import { isDeepStrictEqual } from 'node:util'

/** What a workload is to the outside; `undefined`: there is none. */
export type State = { readonly host: string; readonly backends: readonly string[] } | undefined

export interface Violation {
  readonly what: string
  readonly id: string
  readonly expected: readonly State[]
  readonly seen: State
}

/** What every workload may be now: one state where all that was asked for was answered, several where the caller could not hear the answer. */
export class Model {
  readonly #possible = new Map<string, readonly State[]>()

  /** The caller was told so. */
  is(id: string, state: State): void {
    this.#possible.set(id, [state])
  }
  /** Asked for and not answered: it may have happened or not. */
  maybe(id: string, state: State): void {
    this.#possible.set(id, [...this.of(id), state])
  }
  of(id: string): readonly State[] {
    return this.#possible.get(id) ?? [undefined]
  }
  get ids(): Iterable<string> {
    return this.#possible.keys()
  }
  /** Compares with what is there and takes it as settled. */
  settle(there: ReadonlyMap<string, State>): readonly Violation[] {
    const found: Violation[] = []
    for (const id of new Set([...this.#possible.keys(), ...there.keys()])) {
      const seen = there.get(id)
      const expected = this.of(id)
      if (!expected.some((state) => isDeepStrictEqual(state, seen)))
        found.push({ what: 'is not what it must be', id, expected, seen })
      this.is(id, seen)
    }
    return found
  }
}
