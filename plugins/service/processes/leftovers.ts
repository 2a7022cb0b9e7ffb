import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Core, GatewayError } from '../../../core/index.ts'
import { type Identity, isAlive } from '../../../lib/process.ts'
import { readRecords } from '../../../lib/supervision/child-records.ts'
import { adopt } from './child.ts'
import { findMarked, markOf, parentOf } from './proc.ts'

/** A child of an earlier gateway that still runs. */
export interface Leftover {
  readonly name: string
  readonly hash: string
  readonly keep: boolean
  readonly stopSeconds: number
  readonly identity: Identity
  readonly place?: string
}

/**
 * What earlier gateways left running: recorded, or started and never recorded because the gateway was killed or the disk full in that
 * moment. What was not to be kept is ended here; what was, is returned.
 */
export const leftovers = async (folder: string, log: Core['log']): Promise<readonly Leftover[]> => {
  const { records, broken } = await readRecords(folder)
  for (const file of broken) log(`${file} cannot be read, and is not used`, { folder })
  const found = new Map<string, Leftover>()
  for (const { name, hash, keep, stopSeconds, pid, start, boot, gateway, place } of records) {
    const identity = { pid, start, boot }
    if (isAlive(identity) && parentOf(pid) === gateway && gateway !== process.pid)
      throw new GatewayError('BUSY', `another gateway runs with this root (pid ${gateway})`, 'stop it, or give another root')
    if (isAlive(identity)) found.set(`${pid}`, { name, hash, keep, stopSeconds, identity, ...(place !== undefined && { place }) })
    else await rm(join(folder, `${name}.json`), { force: true }).catch(() => undefined)
  }
  const own = process.getuid?.()
  for (const { identity, mark } of findMarked(`${folder}/`, own === undefined ? [] : [own])) {
    const [, name, hash, keep] = /^([A-Za-z0-9_.-]+):([0-9a-f]+):(keep|end)$/.exec(mark.slice(folder.length + 1)) ?? []
    if (name === undefined || hash === undefined || found.has(`${identity.pid}`)) continue
    found.set(`${identity.pid}`, { name, hash, keep: keep === 'keep', stopSeconds: 10, identity })
  }
  const kept = new Map<string, Leftover>()
  const ending: Promise<void>[] = []
  for (const one of found.values()) {
    if (one.keep && !kept.has(one.name)) {
      kept.set(one.name, one)
      continue
    }
    log(`${one.name} is ended: it outlived the gateway that it belonged to`, { pid: one.identity.pid })
    // A plugin has only so long to set up.
    ending.push(adopt(one.identity, markOf(folder, one.name, one.hash, one.keep)).end(Math.min(one.stopSeconds, 10)))
  }
  await Promise.all(ending)
  return [...kept.values()]
}
