/** At most `most` within any `window` ms, counted under `key`. */
export interface Rule {
  readonly key: string
  readonly most: number
  readonly window: number
}
/** What was used of limits that are counted over sliding windows. All times in ms since 1970, given by the caller. */
export interface Budget {
  /** When all rules have room: `now`, or the later time. */
  room(rules: readonly Rule[], now: number): number
  take(rules: readonly Rule[], now: number): void
  /** Undoes a `take` of that time. */
  giveBack(rules: readonly Rule[], taken: number): void
  left(rule: Rule, now: number): number
  /** To be kept, and given to `budget` again. */
  used(now: number): Readonly<Record<string, readonly number[]>>
}

/** Nothing is older than the longest window of any rule. */
const longest = 31 * 86_400_000

export const budget = (kept: Readonly<Record<string, readonly number[]>> = {}): Budget => {
  const uses = new Map<string, number[]>(Object.entries(kept).map(([key, times]) => [key, [...times].sort((a, b) => a - b)]))
  /** Those that count, oldest first. A use of the future was counted by a clock that was set back since: it counts from now. */
  const within = ({ key, window }: Rule, now: number): readonly number[] =>
    (uses.get(key) ?? []).map((at) => Math.min(at, now)).filter((at) => at > now - window)
  return {
    room(rules, now) {
      let at = now
      for (const rule of rules) {
        const times = uses.get(rule.key)
        // In order, so that one of them tells: the one that has to leave the window before there is room.
        const first = times?.[times.length - rule.most]
        if (first !== undefined) at = Math.max(at, Math.min(first, now) + rule.window)
      }
      return at
    },
    take(rules, now) {
      for (const { key } of rules) uses.set(key, [...(uses.get(key) ?? []), now])
    },
    giveBack(rules, taken) {
      for (const { key } of rules) {
        const times = uses.get(key) ?? []
        const at = times.lastIndexOf(taken)
        if (at >= 0) uses.set(key, times.toSpliced(at, 1))
      }
    },
    left: (rule, now) => Math.max(0, rule.most - within(rule, now).length),
    used(now) {
      for (const [key, times] of uses) {
        const young = times.filter((at) => at > now - longest)
        if (young.length === 0) uses.delete(key)
        else uses.set(key, young)
      }
      return Object.fromEntries(uses)
    },
  }
}
