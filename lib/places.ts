interface Holder {
  destroy(): void
}

/**
 * A bounded number of places for connections, with a share for each address. Whoever is over a bound gives up its own oldest place: with
 * all places taken, the address that holds the most. One address so never takes the last place of another.
 */
export class Places<T extends Holder> {
  readonly #byAddress = new Map<string, Set<T>>()
  readonly #total: number
  readonly #each: number
  #size = 0

  constructor({ total, each }: { readonly total: number; readonly each: number }) {
    this.#total = total
    this.#each = each
  }
  get size(): number {
    return this.#size
  }
  /** The holder gives its place back by `release`, also where it was destroyed for another. */
  take(address: string, holder: T): void {
    const own = this.#byAddress.get(address)
    if (own && own.size >= this.#each) this.#evict(address, own)
    else if (this.#size >= this.#total) this.#evictFromLargest()
    const held = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, held.add(holder))
    this.#size++
  }
  release(address: string, holder: T): void {
    const own = this.#byAddress.get(address)
    if (!own?.delete(holder)) return
    this.#size--
    if (own.size === 0) this.#byAddress.delete(address)
  }
  *[Symbol.iterator](): Iterator<T> {
    for (const own of this.#byAddress.values()) yield* own
  }

  #evictFromLargest(): void {
    let largest: readonly [string, Set<T>] | undefined
    for (const entry of this.#byAddress) if (!largest || entry[1].size > largest[1].size) largest = entry
    if (largest) this.#evict(...largest)
  }
  #evict(address: string, own: Set<T>): void {
    const [oldest] = own
    if (!oldest) return
    this.release(address, oldest)
    oldest.destroy()
  }
}
