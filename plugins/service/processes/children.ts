import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Core, reason, type Service } from '../../../core/index.ts'
import { missingNetns, netnsNamed, staleNetns } from '../../../lib/netns.ts'
import { releaseTime } from '../../../lib/supervision/seats.ts'
import { hashOf } from '../../../lib/supervision/service.ts'
import { adopt, type Child, start } from './child.ts'
import { launchOf } from './command.ts'
import { type Leftover, leftovers } from './leftovers.ts'
import { endOf, openLog, shorten } from './log-file.ts'
import { markOf } from './proc.ts'
import { recordsOf } from './record.ts'

/** Starts the children of one folder, writes down which they are, and finds those of earlier gateways again. */
export const openChildren = async (folder: string, logBytes: () => number, log: Core['log']) => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const left = new Map((await leftovers(folder, log)).map((one) => [one.name, one]))
  const records = recordsOf(folder, log)
  const logOf = (name: string) => join(folder, `${name}.log`)

  const record = (service: Service, { identity, place }: Child) => {
    const { name, keep = false, stopSeconds = 10, command, args } = service
    const about = { hash: hashOf(service), keep, stopSeconds, command, args, gateway: process.pid }
    if (identity) records.put({ name, ...identity, ...about, ...(place !== undefined && { place }) })
  }
  const adoptLeft = ({ name, hash, keep, identity, place }: Leftover) => adopt(identity, markOf(folder, name, hash, keep), place)

  return {
    left,
    logOf,
    isStale: staleNetns,
    waits: (service: Service): boolean => missingNetns(service) !== undefined,
    records,

    /** Rejects with PROCESS_FAILED. */
    async start(service: Service): Promise<Child> {
      const { name } = service
      const mark = markOf(folder, name, hashOf(service), service.keep ?? false)
      const launch = await launchOf(service, mark)
      await shorten(logOf(name), logBytes())
      const file = await openLog(logOf(name)).catch((error) => void log(`${name} runs without a log: ${reason(error)}`))
      try {
        const place = service.netns === undefined ? undefined : netnsNamed(service.netns)
        const child = { ...(await start(service, launch, mark, file?.fd ?? 'ignore', await endOf(logOf(name)))), place }
        record(service, child)
        return child
      } finally {
        await file?.close()
      }
    },

    /** The child that an earlier gateway left, where it is what is wanted now; one that is not is ended. */
    async take(service: Service): Promise<Child | undefined> {
      const found = left.get(service.name)
      if (!found) return undefined
      const child = adoptLeft(found)
      if (service.keep && found.hash === hashOf(service) && !staleNetns(service, child)) {
        left.delete(service.name)
        log(`${service.name} runs on from before`, { pid: child.pid })
        record(service, child)
        return child
      }
      // Not before its successor can be started at all.
      if (missingNetns(service) === undefined) await launchOf(service, '')
      left.delete(service.name)
      log(`${service.name} is replaced: what was left running was started otherwise`, { pid: child.pid })
      const over = child.end(service.stopSeconds ?? found.stopSeconds)
      // One that only drains from here on has given up its ports.
      await (service.drains ? Promise.race([over, sleep(releaseTime)]) : over)
      return undefined
    },

    /** Ends what an earlier gateway left under this name and nobody asked for. */
    async endLeft(name: string): Promise<void> {
      const found = left.get(name)
      if (!found) return
      left.delete(name)
      log(`${name} is ended: it was left running and no plugin asks for it`, { pid: found.identity.pid })
      await adoptLeft(found).end(found.stopSeconds)
      await records.drop(name)
    },

    /** Keeps the logs within their size and writes down what could not be. */
    async tidy(names: Iterable<string>): Promise<void> {
      for (const name of names) await shorten(logOf(name), logBytes()).catch(() => undefined)
      records.again()
    },
  }
}
