import { boot, type CoreFor, closeAll, isOf, ofKind, type Running } from './boot.ts'
import { type Checked, capabilitiesOf } from './config.ts'
import { GatewayError } from './errors.ts'
import type { Bytes, WorkloadId } from './operation.ts'

/** A gateway that another process takes the place of: it serves on and does nothing else. */
export interface HandOver {
  /** The other one did not start: everything is set up again. */
  resume(): Promise<void>
  /** The other one serves: connections drain, then all is closed. What they carried until then goes to `bytes`. */
  leave(bytes: (deltas: Deltas) => void): Promise<void>
}

type Deltas = ReadonlyMap<WorkloadId, Bytes>

/** Keeps what connections carried until there is somebody to give it to. */
export const carrying = () => {
  const sums = new Map<WorkloadId, Bytes>()
  let take = (deltas: Deltas): void => {
    for (const [id, { request, response }] of deltas) {
      const sum = sums.get(id) ?? { request: 0, response: 0 }
      sums.set(id, { request: sum.request + request, response: sum.response + response })
    }
  }
  return {
    take: (deltas: Deltas): void => take(deltas),
    /** What was kept, and then all that comes. */
    giveTo(bytes: (deltas: Deltas) => void): void {
      take = bytes
      bytes(sums)
    },
  }
}

/** What goes on while another process starts: the engine, what counts it, and what both stand on. Throws where the engine cannot be shared. */
export const serving = (set: readonly Running[]): readonly Running[] => {
  const engine = ofKind(set, 'engine')[0]
  if (!engine?.hooks.beside)
    throw new GatewayError(
      'BAD_REQUEST',
      `${engine ? `'${engine.plugin.name}'` : 'a gateway without an engine'} cannot serve beside its successor`,
      'restart the gateway instead: what such an engine serves out of processes of its own goes on meanwhile',
    )
  const stays = new Set<Running>()
  const stay = (running: Running) => {
    if (stays.has(running) || isOf(running, 'store')) return
    stays.add(running)
    for (const { id } of capabilitiesOf(running.plugin.needs)) {
      const provider = set.find(({ plugin }) => capabilitiesOf(plugin.provides).some((one) => one.id === id))
      if (provider) stay(provider)
    }
  }
  for (const running of [engine, ...ofKind(set, 'metrics')]) stay(running)
  return set.filter((running) => stays.has(running))
}

/** Sets the plugins of a list that do not run up again, in order. */
export const setUpAgain = async (
  order: Checked['plugins'],
  stays: readonly Running[],
  coreFor: CoreFor,
  startTimeout: number,
) => {
  const names = new Set(stays.map(({ plugin }) => plugin.name))
  const fresh = await boot(
    order.filter(({ name }) => !names.has(name)),
    stays,
    coreFor,
    startTimeout,
  )
  const byName = new Map([...stays, ...fresh].map((running) => [running.plugin.name, running]))
  return { fresh, set: order.flatMap(({ name }) => byName.get(name) ?? []) }
}

/** Transports close first, then `idle`, then what does not stay, in reverse. */
export const closeTheRest = async (set: readonly Running[], stays: readonly Running[], idle: () => Promise<void>) => {
  const [transports, others] = [true, false].map((wanted) =>
    set.filter((running) => !stays.includes(running) && isOf(running, 'transport') === wanted),
  )
  const failed = await closeAll(transports ?? [])
  await idle()
  return [...failed, ...(await closeAll(others ?? []))]
}
