import { tenantOf } from '../lib/workload-id.ts'
import { ofKind, type Running } from './boot.ts'
import type { Operation, WorkloadId } from './operation.ts'
import type { Admission } from './plugin.ts'

const open: Admission = { end: () => undefined }

/**
 * Whether an operation may begin, and when: every policy that has a say is asked in the order of the list. One that throws refuses it,
 * and those before it are told that it is over. Without any the answer is there at once, so that the order of coming is kept.
 */
export const admission = (set: readonly Running[]) => {
  const doors = ofKind(set, 'policy').flatMap(({ hooks }) => (hooks.admit ? [hooks.admit.bind(hooks)] : []))
  return ({ do: kind, id }: { readonly do: Operation['do']; readonly id?: WorkloadId }): Admission => {
    if (kind === 'metrics' || id === undefined || doors.length === 0) return open
    const asked = { do: kind, id, tenant: tenantOf(id) }
    const given: Admission[] = []
    const end = () => {
      for (const each of given.splice(0)) each.end()
    }
    try {
      for (const door of doors) given.push(door(asked))
    } catch (error) {
      end()
      throw error
    }
    const waits = given.flatMap(({ ready }) => ready ?? [])
    return { end, ...(waits.length > 0 && { ready: Promise.all(waits).then(() => undefined) }) }
  }
}

/** Those that a policy does not let begin yet. */
export const heldBack = () => {
  const held = new Set<() => void>()
  let hurried = false
  return {
    /** Resolves when one may begin: when it was let in, or when all are. */
    until: (ready: Promise<void>): Promise<void> =>
      new Promise((resolve, reject) => {
        if (hurried) return resolve()
        held.add(resolve)
        ready.then(resolve, reject).finally(() => held.delete(resolve))
      }),
    /** Whoever waits or comes may begin, as when the gateway stops and waits for all that came. */
    letAllIn: (): void => {
      hurried = true
      for (const begin of held) begin()
    },
    holdAgain: (): void => {
      hurried = false
    },
  }
}
