import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  definePlugin,
  type Gateway,
  LeftBehind,
  leftDraft,
  Neighbours,
  NodeFacts,
  type Route,
  reason,
} from '../../../core/index.ts'
import { readLeft } from '../../../lib/left-routes/folder.ts'
import type { Secret } from '../../../lib/secret.ts'
import { readBroker, shownBroker } from '../../../lib/zbus/broker.ts'
import { comparison, mismatch } from './compare.ts'
import { type Exchange, type Heard, openEars } from './ears.ts'
import { overheard } from './facts.ts'
import { type Line, openReport, type Summary } from './report.ts'

export type { Line, Summary }

export interface ShadowOptions {
  readonly broker: string
  /** Where its password stands, if not in `broker`. */
  readonly password?: Secret | undefined
  /** The module whose requests are heard. Default `gateway`. */
  readonly module?: string
  /** Folders of the Go module's route files, the newest first. */
  readonly folders: readonly string[]
  /** Each comparison, as it is made. */
  readonly told: (line: Line) => void
  /** When it aborts, what was heard is compared to its end, and `ended` called. */
  readonly until: AbortSignal
  readonly ended: (summary: Summary) => void
}

/** Milliseconds that the last answers, and their files, have to come. */
const settle = 1_500
const pause = 250

/**
 * Beside a Go gateway module that serves: hears its requests and answers, does the same to a table that nobody is served from, and
 * reports where the two differ. Answers nobody, asks nobody, and writes nothing but its report.
 */
export const shadow = (options: ShadowOptions) => {
  const { broker, password, module = 'gateway', folders, told, until, ended } = options
  return definePlugin({
    name: 'transport/shadow',
    kind: 'transport',
    options: { broker, password, module, folders },
    provides: { node: NodeFacts, neighbours: Neighbours, left: LeftBehind },
    setup: async ({ root, log, health }) => {
      const heardAt = await readBroker(broker, password)
      const report = openReport(join(root, 'report.jsonl'), told, (why) => log(`the report cannot be written: ${why}`))
      const stop = new AbortController()
      /** Workloads by which table and files differ and were told to. */
      const apart = new Set<string>()
      const intended = new Map<string, string>()
      const decommissioned = new Set<string>()
      let now: Heard = new Map()
      let metrics = 0
      let last: Promise<void> = Promise.resolve()
      let compare: ((one: Exchange) => Promise<void>) | undefined
      let host: Gateway | undefined
      let trouble: string | undefined

      const inTurn = (work: () => Promise<void>) => {
        last = last.then(work).catch((error) => log(`a request could not be compared: ${reason(error)}`))
      }
      const { neighbours, node } = overheard(
        () => now,
        (_, [id, why]) => intended.set(String(id), String(why)),
      )
      /** What happened while nothing was heard is no difference. */
      const catchUp = async () => {
        for (const id of (await differing(host, folders)).keys()) apart.add(id)
      }
      const ears = openEars({
        broker: heardAt,
        module,
        signal: stop.signal,
        exchange(one) {
          if (one.request.method === 'Metrics') metrics++
          inTurn(async () => {
            now = one.heard
            await compare?.(one)
          })
        },
        told({ method, inputs: [id] }) {
          if (method === 'DecommissionCached' && id) decommissioned.add(Buffer.from(id.subarray(1)).toString())
        },
        listening(why) {
          if (why === undefined && trouble !== undefined) {
            report.tell({
              about: 'hearing',
              id: '',
              verdict: 'unknown',
              theirs: `not heard: ${trouble}`,
              ours: 'it listens again',
            })
            inTurn(catchUp)
          } else if (why === undefined) log(`it listens to ${module} at ${shownBroker(heardAt)}`)
          trouble = why
          health(why === undefined ? 'ok' : 'degraded', why && `Redis is not heard: ${why}`)
        },
      })

      /** Resolves when all that was heard is compared. */
      const idle = async () => {
        for (let seen: unknown; seen !== last; ) {
          seen = last
          await last
        }
      }
      const finish = once(async () => {
        // What was answered before this came is still on its way to here.
        await wait(pause)
        for (let waited = 0; ears.busy().size > 0 && waited < settle; waited += pause) await wait(pause)
        await idle()
        const open = async () => [...(await differing(host, folders))].filter(([id]) => !apart.has(id) && !ears.busy().has(id))
        if ((await open()).length > 0) {
          await wait(settle)
          await idle()
        }
        for (const [id, against] of await open())
          report.tell({
            about: 'file',
            id,
            verdict: 'different',
            theirs: 'left its files so',
            ours: `would have them otherwise: ${against}`,
          })
        for (const [id, why] of intended)
          if (!decommissioned.has(id))
            report.tell({
              about: 'decommission',
              id,
              verdict: 'unknown',
              theirs: 'has told provisiond nothing',
              ours: `would tell provisiond: ${why}`,
            })
        stop.abort()
        await ears.done
        ended(await report.close({ ...ears.counts(), metrics, workloads: host?.routes.size ?? 0 }))
      })
      until.addEventListener('abort', finish, { once: true })

      return {
        api: {
          node,
          neighbours,
          left: {
            async drafts() {
              const { routes, unread } = await readLeft(folders)
              for (const { path, why } of unread)
                report.tell({
                  about: 'left',
                  id: path,
                  verdict: 'different',
                  theirs: 'it is there',
                  ours: `not taken over: ${why}`,
                })
              return routes.map(leftDraft)
            },
          },
        },
        listen(gateway) {
          host = gateway
          compare = comparison({
            gateway,
            folders,
            report,
            isOvertaken: ears.isOvertaken,
            diverged: (id) => void apart.add(id),
          })
        },
        close: () => finish(),
      }
    },
  })
}

/** The workloads of which the files say something else than the table, or that only one of them has. */
const differing = async (gateway: Gateway | undefined, folders: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (!gateway) return new Map()
  const { routes } = await readLeft(folders)
  const held = new Map<string, Route>(Array.from(gateway.routes.all(), (route) => [route.id, route]))
  const found = new Map<string, string>()
  for (const id of new Set([...routes.map((route) => route.id), ...held.keys()])) {
    const against = await mismatch(folders, id, held.get(id))
    if (against.length > 0) found.set(id, against.join('; '))
  }
  return found
}

const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
