import type { Rule } from '../../../lib/acme/budget.ts'

/** Orders that are under way, by the limits that each may yet take from: it is not known before the end which. */
export const inFlight = (left: (rule: Rule, now: number) => number) => {
  const count = new Map<string, number>()
  const of = ({ key }: Rule) => count.get(key) ?? 0
  return {
    /** Whether those under way could use up one of these by themselves. */
    fills: (rules: readonly Rule[], now: number): boolean => rules.some((rule) => of(rule) >= left(rule, now)),
    async during<T>(rules: readonly Rule[], work: () => Promise<T>): Promise<T> {
      for (const rule of rules) count.set(rule.key, of(rule) + 1)
      try {
        return await work()
      } finally {
        for (const rule of rules)
          if (of(rule) > 1) count.set(rule.key, of(rule) - 1)
          else count.delete(rule.key)
      }
    },
  }
}
