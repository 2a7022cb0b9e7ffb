import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import { GatewayError, reason } from '../../../core/index.ts'
import { isDamaged, isLocked, storageError } from './error.ts'
import { closeToOthers, holder } from './folder.ts'
import { repairApart } from './repair.ts'

export type Level = ClassicLevel<string, string>

/** Opens the database in `path` and takes its lock. What LevelDB finds damaged is repaired, and `onDamage` hears of it. */
export const openLevel = async (path: string, onDamage: (why: string) => void): Promise<Level> => {
  const mend = async (why: string) => {
    onDamage(why)
    await repairApart(path)
  }
  if (await hasLostItsHead(path)) await mend('CURRENT is missing')
  const level = await openPlain(path)
    .catch(async (error: unknown) => {
      if (!isDamaged(error)) throw error
      await mend(reason(error instanceof Error ? (error.cause ?? error) : error))
      return await openPlain(path)
    })
    .catch(async (error: unknown) => {
      throw isLocked(error) ? await busy(path, error) : storageError(path, error)
    })
  try {
    await holder.write(path)
    await closeToOthers(path)
    const dropped = /^.*dropping \d+ bytes.*$/m.exec(await readFile(join(path, 'LOG'), 'utf8'))
    if (dropped) onDamage(dropped[0])
    return level
  } catch (error) {
    await level.close()
    throw storageError(path, error)
  }
}

export const openPlain = async (path: string): Promise<Level> => {
  const { ClassicLevel } = await import('classic-level')
  const level: Level = new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await level.open()
  return level
}

export const closeLevel = async (level: Level, path: string) => {
  await closeToOthers(path)
  await holder.remove(path)
  await level.close()
}

/** Where its file CURRENT is gone, LevelDB would begin an empty database and delete the tables of the old one. */
const hasLostItsHead = async (path: string) => {
  const names = await readdir(path)
  if (names.includes('CURRENT') || !names.some((name) => name.endsWith('.ldb') || name.endsWith('.log'))) return false
  const pid = Number(await holder.read(path))
  if (pid > 0 && pid !== process.pid && isRunning(pid)) throw await busy(path, undefined)
  return true
}
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const busy = async (path: string, cause: unknown) => {
  const pid = await holder.read(path)
  const who = pid === String(process.pid) ? 'another gateway in this process' : `another gateway${pid && `, pid ${pid}`}`
  return new GatewayError('BUSY', `${path} is held by ${who}`, 'stop that gateway first, or give this one another --root', {
    cause,
  })
}
