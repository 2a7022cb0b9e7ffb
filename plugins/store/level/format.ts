import { GatewayError } from '../../../core/index.ts'
import type { Level } from './open.ts'
import { format as key, type Row } from './record.ts'
import { put } from './rows.ts'

/** Reads a database of format n and says which rows make it one of format n + 1; step 1 is the first. It writes nothing itself. */
export type Migration = (level: Level) => Promise<readonly Row[]>
const migrations: readonly Migration[] = []

/**
 * Brings the database to the format of this program, each step in one synced batch that also counts the format up: a process that dies
 * within leaves one format or the next, whole. A database that a later program wrote is refused, untouched.
 */
export const checkFormat = async (level: Level, path: string, steps: readonly Migration[] = migrations): Promise<void> => {
  const newest = steps.length + 1
  const written = await level.get(key)
  const format = written === undefined ? newest : Number(written)
  if (!Number.isSafeInteger(format) || format < 1 || format > newest) {
    throw new GatewayError(
      'STORAGE',
      `${path} has format ${written}, and this gateway reads up to ${newest}`,
      'start the version that wrote it, or name another --root',
    )
  }
  if (written === undefined) await put(level, [{ key, value: String(newest) }], true)
  for (const [at, step] of steps.entries())
    if (at + 1 >= format) await put(level, [...(await step(level)), { key, value: String(at + 2) }], true)
}
