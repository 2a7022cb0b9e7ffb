/** Times in ms: how long one that failed is left out at first, and at most. */
export interface Retry {
  readonly first: number
  readonly most: number
}

/** What is known of one of several that share a load: one that fails is left out for a while, longer each time. */
export class Fitness {
  readonly #retry: Retry
  #retryAt = 0
  /** A failure from then on is another one. */
  #worseAt = 0
  #failures = 0

  constructor(retry: Retry) {
    this.#retry = retry
  }
  /** Whether it should be given something; a dead one is given something again after a while, and that decides. */
  admits(): boolean {
    if (this.#failures === 0) return true
    const now = performance.now()
    if (now < this.#retryAt) return false
    this.#retryAt = now + this.#retry.first
    return true
  }
  /** It did what was asked of it. */
  answered(): void {
    this.#failures = 0
  }
  /** It could not be reached. Is told of the same trouble by many at once, and counts it once. */
  failed(): void {
    const now = performance.now()
    if (this.#failures > 0 && now < this.#worseAt) return
    const { first, most } = this.#retry
    this.#retryAt = now + Math.min(most, first * 2 ** Math.min(this.#failures, 16))
    this.#worseAt = this.#retryAt
    this.#failures++
  }
}

/** Several that share a load, taken in turn. */
export class InTurn<T extends { admits(): boolean }> {
  readonly all: readonly T[]
  #next = 0
  constructor(all: readonly T[]) {
    this.all = all
  }

  /** The next in turn that is not left out; where all are, or have been tried, the next that was not tried. */
  pick(tried: ReadonlySet<T> | undefined): T | undefined {
    const count = this.all.length
    for (let i = 0; i < count; i++) {
      const one = this.all[this.#next]
      this.#next = this.#next + 1 < count ? this.#next + 1 : 0
      if (one && !tried?.has(one) && one.admits()) return one
    }
    return this.all.find((one) => !tried?.has(one))
  }
}
