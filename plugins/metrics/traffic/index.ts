import { type Core, definePlugin, GatewayError, knownOptions, optional, reason, Traffic } from '../../../core/index.ts'
import { type Counts, counting } from './count.ts'
import { keeping } from './keep.ts'
import { reading } from './read.ts'

export interface TrafficOptions {
  /** Seconds between two looks at the counters of the engine: the most that a kill -9 can lose. Default 1. */
  readonly interval?: number
  /** Days for which the sums of a deleted workload are kept and reported, so that it counts on where it is set again. Default 30. */
  readonly keep?: number
}

/**
 * Adds the counters of the engine up in the durable ledger, per workload. Sums never go back over a restart of gateway or engine,
 * delete and re-create. Where no engine counts, the report is empty; while the engine is down, it is what was last known.
 */
export const traffic = (options: TrafficOptions = {}) => {
  knownOptions('traffic', options, { interval: true, keep: true })
  const { interval = 1, keep: days = 30 } = options
  if (!(interval >= 0.05 && interval <= 3_600)) {
    throw new GatewayError('CONFIG_INVALID', `traffic: interval is ${interval}`, 'give seconds, from 0.05 to 3600')
  }
  if (!(days >= 0 && days <= 36_500)) {
    throw new GatewayError('CONFIG_INVALID', `traffic: keep is ${days}`, 'give days, from 0 to 36500')
  }
  return definePlugin({
    name: 'metrics/traffic',
    kind: 'metrics',
    options,
    needs: { engine: optional(Traffic) },
    setup: ({ engine, ledger, state, routes, health, log }) => {
      if (!engine) {
        log('no engine here counts traffic: the report stays empty')
        return { observe: () => undefined, report: () => new Map() }
      }
      const { counts, reader } = shareOf(engine, ledger, state)
      const kept = keeping(counts, routes, days * day)

      let trouble: string | undefined
      const tell = (now: string | undefined) => {
        if (now === trouble) return
        trouble = now
        if (now !== undefined) log(now)
        health(now === undefined ? 'ok' : 'degraded', now)
      }
      const attempt = (what: string, work: Promise<void>) =>
        work.then(
          () => undefined,
          (error: unknown) => `${what}: ${reason(error)}`,
        )
      const look = () => attempt('the counters of the engine cannot be read', reader.fresh())
      const keep = async () => {
        await counts.commit()
        await counts.forget(kept.over())
      }
      const tick = async () => {
        const blind = await look()
        const unkept = await attempt('sums of traffic cannot be stored', keep())
        tell(blind ?? unkept)
      }
      void look() // an engine that ran on says so before anything is removed from it
      let ticking: Promise<void> | undefined
      const once = () =>
        (ticking ??= tick().finally(() => {
          ticking = undefined
        }))
      /** Behind one that runs: that may have looked before. */
      const settle = async () => {
        await ticking
        await once()
      }
      const timer = setInterval(once, interval * 1_000).unref()

      return {
        observe: (event) => {
          if (event.type === 'removed') reader.removed({ id: event.route.id, bytes: event.bytes, kept: kept.gone })
          else if (event.type === 'applied') kept.back(event.route.id)
          else if (event.type === 'engine' && event.state !== 'down') void look()
        },
        report: async () => {
          await look()
          return counts.sums()
        },
        settle,
        close: async () => {
          clearInterval(timer)
          await settle()
        },
      }
    },
  })
}

const day = 86_400_000

/** A reload may run two of us beside each other on one engine for a moment: what was counted is counted once. */
const shareOf = (engine: Traffic, ledger: Core['ledger'], state: Core['state']): Share => {
  const known = shares.get(engine)
  if (known) return known
  const counts = counting(ledger, state)
  const share = { counts, reader: reading(engine, counts) }
  shares.set(engine, share)
  return share
}
interface Share {
  readonly counts: Counts
  readonly reader: ReturnType<typeof reading>
}
const shares = new WeakMap<Traffic, Share>()
