import { isFair } from './client-limits.ts'

/** How much of something each tenant has; 0: any amount. */
export const shares = (most: number) => {
  const taken = new Map<string, number>()
  return {
    /** Takes one more; false where the tenant has as many as it may, or one client that holds `held` would leave too few to others. */
    enter(tenant: string, held = 0): boolean {
      const now = taken.get(tenant) ?? 0
      if ((most > 0 && now >= most) || !isFair(held, now, most)) return false
      taken.set(tenant, now + 1)
      return true
    },
    leave(tenant: string): void {
      const left = (taken.get(tenant) ?? 0) - 1
      if (left > 0) taken.set(tenant, left)
      else taken.delete(tenant)
    },
  }
}
