/** What waits, in the order of coming for each tenant, and tenants in turn: one with much to do does not keep the others. */
export interface FairQueue<T> {
  readonly size: number
  push(tenant: string, item: T): void
  /** Before what else of the tenant waits. */
  unshift(tenant: string, item: T): void
  /** Takes the next one that `ready` lets through; each tenant's first is asked for, in turn. */
  next(ready: (item: T) => boolean): T | undefined
  remove(tenant: string, item: T): void
  /** The first of each tenant. */
  heads(): Iterable<T>
}

export const fairQueue = <T>(): FairQueue<T> => {
  // In turn: the tenant that was served last is the last.
  const waiting = new Map<string, T[]>()
  const of = (tenant: string): T[] => {
    const list = waiting.get(tenant) ?? []
    waiting.set(tenant, list)
    return list
  }
  return {
    get size() {
      let size = 0
      for (const list of waiting.values()) size += list.length
      return size
    },
    push: (tenant, item) => void of(tenant).push(item),
    unshift: (tenant, item) => void of(tenant).unshift(item),
    next(ready) {
      for (const [tenant, list] of waiting) {
        const [first] = list
        if (first === undefined || !ready(first)) continue
        list.shift()
        waiting.delete(tenant)
        if (list.length > 0) waiting.set(tenant, list)
        return first
      }
      return undefined
    },
    remove(tenant, item) {
      const left = (waiting.get(tenant) ?? []).filter((each) => each !== item)
      if (left.length > 0) waiting.set(tenant, left)
      else waiting.delete(tenant)
    },
    *heads() {
      for (const [first] of waiting.values()) if (first !== undefined) yield first
    },
  }
}
