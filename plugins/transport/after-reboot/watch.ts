import {
  type Core,
  errorCodes,
  type Gateway,
  GatewayError,
  type Logged,
  parseOperation,
  reason,
  type WorkloadId,
} from '../../../core/index.ts'
import type { Keeper, Waiting } from './keep.ts'

const most = 5
/** Milliseconds, at most, until it is tried again where some could not be removed. */
const again = 60_000

/** Follows what is set again, and at the end of the time reports and removes what was not. */
export const watch = (
  o: Waiting & { core: Pick<Core, 'log' | 'emit'>; gateway: Gateway; keep: Keeper; thenDrop: number | undefined },
) => {
  const { core, gateway, keep, waiting } = o
  const stop = new AbortController()
  /** Those whose Set failed by no fault of the caller. A later refusal still removes them; the end of the time does not. */
  const wanted = new Set<WorkloadId>()
  const forgotten = () => [...waiting].filter((id) => !wanted.has(id))
  let unsure = o.unsure
  let timer: NodeJS.Timeout | undefined
  const after = (milliseconds: number, work: () => Promise<void>) => {
    if (stop.signal.aborted) return
    timer = setTimeout(() => void work().catch((error) => core.log(`provisional workloads: ${reason(error)}`)), milliseconds)
    timer.unref()
  }
  const remove = async (id: WorkloadId, why: string) => {
    core.log(`workload ${id} is removed: ${why}`)
    try {
      await gateway.dispatch(parseOperation({ do: 'delete', id }))
      waiting.delete(id)
    } catch (error) {
      core.log(`workload ${id} is not removed, and stays provisional: ${reason(error)}`)
    }
  }

  const failed = (id: WorkloadId, error: Error): void => {
    if (isRefusal(error)) return void remove(id, `after a reboot it was refused: ${error.message}`)
    // Its owner still wants it: a fault of DNS, a neighbour or the gateway itself is no reason to stop serving it.
    wanted.add(id)
    core.log(`workload ${id} stays as it was before the reboot: its Set failed by no fault of the caller: ${error.message}`)
  }
  const see = (event: Logged): void => {
    switch (event.type) {
      case 'applied':
      case 'confirmed':
      case 'deleted':
        waiting.delete(event.route.id)
        return
      case 'failed':
        // Not awaited: the Delete has to be in its place before a Set that comes later.
        if (event.id && event.do !== 'delete' && waiting.has(event.id)) failed(event.id, event.error)
        return
      case 'gap':
        unsure = true
        return
    }
  }
  const follow = async () => {
    for await (const event of gateway.events(undefined, stop.signal)) {
      see(event)
      if (waiting.size === 0) break
    }
  }

  const report = async () => {
    const ids = forgotten()
    if (ids.length === 0) return
    const time = unsure ? undefined : o.thenDrop
    core.emit({
      type: 'alarm',
      code: 'NOT_FOUND',
      message: `${ids.length} workloads were not set again since this machine booted: ${named(ids)}`,
      fix: time
        ? `they are removed in ${time / 1_000} s unless they are set until then`
        : 'set again or delete them; none is removed by itself',
    })
    if (time) after(time, () => drop(Math.min(time, again)))
  }
  const drop = async (pause: number): Promise<void> => {
    if (unsure) return
    for (const id of forgotten()) if (waiting.has(id)) await remove(id, 'nobody set it again after a reboot')
    if (forgotten().length > 0) after(pause, () => drop(pause))
    await keep.end(forgotten())
  }

  const following = follow()
  after(o.left, report)
  return {
    async close() {
      clearTimeout(timer)
      stop.abort()
      await following
      // What nobody can be sure of now is not sure at the next start either.
      if (!unsure) await keep.end(forgotten())
    },
  }
}

/** The caller's own fault, as against a gateway or a neighbour that could not. */
const isRefusal = (error: Error): boolean => error instanceof GatewayError && errorCodes[error.code].exit === 2

const named = (ids: readonly WorkloadId[]): string => {
  const more = ids.length > most ? ` and ${ids.length - most} more` : ''
  return `${ids.slice(0, most).join(', ')}${more}`
}
