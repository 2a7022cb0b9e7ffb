import { setTimeout as wait } from 'node:timers/promises'
import { type Core, type Neighbours, reason, type WorkloadId } from '../../../core/index.ts'
import { claimOf, type Held } from './chain.ts'

/** Milliseconds in which provisiond has to take a workload away; it answers only after it called our Delete. */
const decommissionLimit = 180_000
/** So many names at a time are handed to provisiond; the others are in a later round. */
const handedAtOnce = 8
/** After so many names in a row for which the chain could not say, the round ends; the next one begins where it stopped. */
const patience = 3

type Given = Pick<Core, 'routes' | 'emit' | 'health' | 'log'> & { readonly neighbours: Neighbours }

/** Goes over the names that are served, again and again, each round spread over `period` milliseconds. */
export const recheck = (core: Given, held: Held, period: number) => {
  const stop = new AbortController()
  const { signal } = stop
  const pause = (milliseconds: number) => wait(milliseconds, undefined, { signal, ref: false })
  let last: WorkloadId | undefined

  const round = async () => {
    const began = performance.now()
    const names = startingBehind(
      last,
      [...core.routes.list()].flatMap(({ id, zone }) => (zone === undefined ? [] : [id])),
    )
    let silent = 0
    for (const id of names) {
      await pause(period / (names.length + 1))
      const answered = await one(id)
      silent = answered ? 0 : silent + 1
      if (silent === patience) break
      if (answered) last = id
    }
    await pause(Math.max(0, period - (performance.now() - began)))
  }

  /** Whether the chain could say. */
  const one = async (id: WorkloadId): Promise<boolean> => {
    const route = core.routes.get(id)
    const claim = route && claimOf(route)
    if (!claim) return true
    try {
      const lost = await held(claim, signal)
      core.health('ok')
      // Set again under another name meanwhile: what was found is of the past.
      if (lost !== undefined && core.routes.get(id) === route) handOver(id, route.host, lost)
      return true
    } catch (error) {
      signal.throwIfAborted()
      core.health('degraded', `names are not checked again: ${reason(error)}`)
      return false
    }
  }

  const handed = new Set<WorkloadId>()
  /** Not awaited: provisiond may be silent for as long as it has, and the other names are checked meanwhile. */
  const handOver = (id: WorkloadId, host: string, lost: string): void => {
    if (handed.has(id) || handed.size === handedAtOnce) return
    handed.add(id)
    void decommission(id, host, lost).finally(() => handed.delete(id))
  }
  const decommission = async (id: WorkloadId, host: string, lost: string) => {
    const failed = (why: string) =>
      core.emit({
        type: 'alarm',
        code: 'NAME_NOT_RESERVED',
        message: `workload ${id} (${host}) lost its name (${lost}), and provisiond did not take it away: ${why}`,
        fix: 'it stays served and is handed to provisiond again in the next round; delete it by hand where it is to go now',
      })
    core.log(`workload ${id} (${host}) lost its name: ${lost}`)
    const options = { signal, timeout: decommissionLimit }
    try {
      const answer = await core.neighbours.call('provision', 'provision@0.0.1', 'DecommissionCached', [id, lost], options)
      if ('refused' in answer) failed(answer.refused)
    } catch (error) {
      if (!signal.aborted) failed(reason(error))
    }
  }

  const run = async () => {
    while (!signal.aborted) await round().catch((error) => signal.aborted || core.log(`a round of name checks: ${reason(error)}`))
  }
  void run()
  return { close: () => stop.abort() }
}

/** The ids, those behind `last` first. */
const startingBehind = (last: WorkloadId | undefined, ids: readonly WorkloadId[]): readonly WorkloadId[] => {
  const at = last === undefined ? 0 : ids.findIndex((id) => id > last)
  return at <= 0 ? ids : [...ids.slice(at), ...ids.slice(0, at)]
}
