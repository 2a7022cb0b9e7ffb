/** Milliseconds for which a refusal is reported. */
const reportFor = 10_000

/** Counts connections refused for one reason, and knows whether one was refused lately. */
export class Refusals {
  count = 0
  #last = Number.NEGATIVE_INFINITY

  /** Returns false, for the caller to return. */
  add(): false {
    this.count++
    this.#last = performance.now()
    return false
  }
  /** Whether one was refused in the last ten seconds. */
  recent(now = performance.now()): boolean {
    return now - this.#last <= reportFor
  }
}
