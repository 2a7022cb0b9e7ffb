import type { Operation, Route, WorkloadId } from './operation.ts'
import { turns } from './turns.ts'

/** The parts of an operation that order it. */
interface Asked {
  readonly do: Operation['do']
  readonly id?: WorkloadId
  readonly fqdn?: string
  readonly name?: string
}

/**
 * What an operation has to wait for: earlier ones on its workload, on its host, and on every host that the workload has or is about to
 * have, so that "delete A, give A's host to B" ends as it was asked. The host is named as the caller did: a name has no dot, a domain has.
 */
export const lanes = (routeOf: (id: WorkloadId) => Route | undefined) => {
  const queue = turns()
  const pending = new Map<WorkloadId, { count: number; readonly hosts: Set<string> }>()
  return {
    take({ id, fqdn, name }: Asked): ReturnType<typeof queue.take> {
      if (id === undefined) return { ready: undefined, give: () => undefined }
      const mine = pending.get(id) ?? { count: 0, hosts: new Set() }
      const route = routeOf(id)
      if (route) mine.hosts.add(asAsked(route))
      const asked = fqdn ?? name
      if (asked !== undefined) mine.hosts.add(asked)
      mine.count++
      pending.set(id, mine)
      const { ready, give } = queue.take([`id ${id}`, ...mine.hosts])
      return {
        ready,
        give: () => {
          if (--mine.count === 0) pending.delete(id)
          give()
        },
      }
    },
  }
}

const asAsked = ({ host, zone }: Route): string =>
  zone !== undefined && host.endsWith(`.${zone}`) ? host.slice(0, -zone.length - 1) : host
