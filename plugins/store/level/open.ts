import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import { GatewayError, reason } from '../../../core/index.ts'
import { closeToOthers, holder } from './folder.ts'

export type Level = ClassicLevel<string, string>

/** Opens the database in `path` and takes its lock. What LevelDB finds corrupt is repaired from what can still be read. */
export const openLevel = async (path: string, onRepair: (why: string) => void): Promise<Level> => {
  const { ClassicLevel } = await import('classic-level')
  const open = async () => {
    const level: Level = new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
    await level.open()
    return level
  }
  const level = await open().catch(async (error: unknown) => {
    if (!isCorruption(error)) throw await openError(path, error)
    onRepair(reason(causeOf(error)))
    await ClassicLevel.repair(path)
    return await open().catch(async (again: unknown) => {
      throw await openError(path, again)
    })
  })
  try {
    await holder.write(path)
    await closeToOthers(path)
    return level
  } catch (error) {
    await level.close()
    throw storageError(path, error)
  }
}

export const closeLevel = async (level: Level, path: string) => {
  await closeToOthers(path)
  await holder.remove(path)
  await level.close()
}

/** After a closed database: what can be read of a damaged one is written anew. */
export const repairLevel = async (path: string) => {
  const { ClassicLevel } = await import('classic-level')
  await ClassicLevel.repair(path)
}

const openError = async (path: string, error: unknown) => {
  const cause = causeOf(error)
  if (codeOf(cause) !== 'LEVEL_LOCKED') return storageError(path, cause)
  const pid = await holder.read(path)
  const who = pid === String(process.pid) ? 'another gateway in this process' : `another gateway${pid && `, pid ${pid}`}`
  return new GatewayError('BUSY', `${path} is held by ${who}`, 'stop that gateway first, or give this one another --root', {
    cause,
  })
}

export const isCorruption = (error: unknown) => codeOf(causeOf(error)) === 'LEVEL_CORRUPTION'

/** Whatever LevelDB or the file system threw, as what a caller may see. */
export const storageError = (path: string, error: unknown): GatewayError => {
  if (error instanceof GatewayError) return error
  const cause = causeOf(error)
  const what = reason(cause)
  if (/no space left|quota exceeded|ENOSPC|EDQUOT/i.test(what)) {
    return new GatewayError('STORAGE', `no space left in ${join(path)}`, 'free some space on its file system and try again', {
      cause,
    })
  }
  return new GatewayError('STORAGE', `${path} cannot be written: ${what}`, 'check the disk and its file system, then try again', {
    cause,
  })
}

const causeOf = (error: unknown): unknown =>
  codeOf(error) === 'LEVEL_DATABASE_NOT_OPEN' && error instanceof Error && error.cause !== undefined ? error.cause : error
const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)
