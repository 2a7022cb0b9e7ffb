/** Where a thing stands in a row; of a thing that stands in none, `{}`. */
export interface Place<T extends Standing<T>> {
  row?: Row<T> | undefined
  before?: T | undefined
  after?: T | undefined
}
interface Standing<T extends Standing<T>> {
  readonly place: Place<T>
}

/**
 * Things in the order in which they came. To come and to leave cost the same however many there are, at every single time: a `Set` of
 * many copies itself now and then.
 */
export class Row<T extends Standing<T>> implements Iterable<T> {
  #first: T | undefined
  #last: T | undefined

  /** The one that came before all others. */
  get first(): T | undefined {
    return this.#first
  }
  /** As the last one; where it stood before, here or in another row, it leaves. */
  add(thing: T): void {
    const { place } = thing
    place.row?.delete(thing)
    place.row = this
    place.before = this.#last
    if (this.#last) this.#last.place.after = thing
    else this.#first = thing
    this.#last = thing
  }
  delete(thing: T): void {
    const { place } = thing
    if (place.row !== this) return
    const { before, after } = place
    if (before) before.place.after = after
    else this.#first = after
    if (after) after.place.before = before
    else this.#last = before
    place.row = undefined
    place.before = undefined
    place.after = undefined
  }
  /** Who stands in it now: each may leave once it was given, but none other. */
  *[Symbol.iterator](): Generator<T> {
    let next = this.#first
    while (next) {
      const thing = next
      next = thing.place.after
      yield thing
    }
  }
}
