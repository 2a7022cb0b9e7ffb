// A request costs as much as eight fields, and its fields: one kilobyte of HTTP/2 names a thousand, which takes a millisecond.
const cost = 8
const mostOfOne = 512
const mostOfAll = 2_048

let spent = 0
const renew = () => {
  spent = 0
}

/** How many requests are begun in one turn of the event loop, so that those of many connections at once hold up nobody else. */
export const beginnings = {
  /** Whether one more may begin now, on a connection that has spent so much in this turn. */
  admit: (own: number): boolean => own < mostOfOne && spent < mostOfAll,
  /** One begins; says what it costs. */
  spend(fields: number): number {
    // Before the immediates of those who wait for the next turn.
    if (spent === 0) setImmediate(renew)
    spent += cost + fields
    return cost + fields
  },
}
