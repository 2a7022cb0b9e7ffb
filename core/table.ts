import type { Routes } from './gateway-interface.ts'
import type { Route, WorkloadId } from './operation.ts'

/** The routes that are served now, and who holds which host. A change costs O(1); a list is put in order when asked for. */
export interface Table extends Routes {
  put(route: Route): void
  remove(id: WorkloadId): void
  /** Takes a host for a workload while its change is under way: false where another holds it. `free` gives it back. */
  reserve(host: string, id: WorkloadId): boolean
  free(host: string, id: WorkloadId): void
  /** Who serves the host or is about to. */
  owner(host: string): WorkloadId | undefined
}

export const table = (): Table => {
  const byId = new Map<WorkloadId, Route>()
  const byHost = new Map<string, Route>()
  const reserved = new Map<string, WorkloadId>()
  const tenants = new Map<string, number>()
  const order = ordered(byId)

  const count = (tenant: string, by: number) => {
    const now = (tenants.get(tenant) ?? 0) + by
    if (now > 0) tenants.set(tenant, now)
    else tenants.delete(tenant)
  }
  const remove = (id: WorkloadId) => {
    const old = byId.get(id)
    if (!old) return
    byId.delete(id)
    if (byHost.get(old.host) === old) byHost.delete(old.host)
    count(old.tenant, -1)
    order.remove(id)
  }
  const owner = (host: string) => byHost.get(host)?.id ?? reserved.get(host)
  return {
    get size() {
      return byId.size
    },
    get: (id) => byId.get(id),
    byHost: (host) => byHost.get(host),
    count: (tenant) => tenants.get(tenant) ?? 0,
    all: () => byId.values(),
    list: (after, limit = Number.POSITIVE_INFINITY) => order.page(after, limit),
    put(route) {
      remove(route.id)
      byId.set(route.id, route)
      byHost.set(route.host, route)
      count(route.tenant, 1)
      order.add(route.id)
    },
    remove,
    reserve(host, id) {
      const holder = owner(host)
      if (holder !== undefined && holder !== id) return false
      reserved.set(host, id)
      return true
    },
    free(host, id) {
      if (reserved.get(host) === id) reserved.delete(host)
    },
    owner,
  }
}

/** The ids in order, merged with what changed since the last page only when a page is asked for. */
const ordered = (byId: ReadonlyMap<WorkloadId, Route>) => {
  let sorted: WorkloadId[] = []
  const added = new Set<WorkloadId>()
  let stale = false
  const merge = () => {
    if (!stale) return
    const fresh = [...added].filter((id) => byId.has(id)).sort()
    const old = sorted.filter((id) => byId.has(id) && !added.has(id))
    sorted = []
    for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
      const [left, right] = [old[i], fresh[j]]
      if (right === undefined || (left !== undefined && left < right)) i++
      else j++
      const next = right === undefined || (left !== undefined && left < right) ? left : right
      if (next !== undefined) sorted.push(next)
    }
    added.clear()
    stale = false
  }
  return {
    add(id: WorkloadId) {
      added.add(id)
      stale = true
    },
    remove(id: WorkloadId) {
      added.delete(id)
      stale = true
    },
    page(after: WorkloadId | undefined, limit: number): readonly Route[] {
      merge()
      const page: Route[] = []
      for (let at = after === undefined ? 0 : firstAbove(sorted, after); at < sorted.length && page.length < limit; at++) {
        const id = sorted[at]
        const route = id === undefined ? undefined : byId.get(id)
        if (route) page.push(route)
      }
      return page
    },
  }
}

const firstAbove = (sorted: readonly string[], after: string): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') <= after) low = middle + 1
    else high = middle
  }
  return low
}
