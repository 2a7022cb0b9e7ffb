import { GatewayError } from '../../../core/index.ts'
import type { Level } from './open.ts'
import { format as key } from './record.ts'

/** Step `n` turns a database of format n + 1 into one of format n + 2, in one synced batch that also counts the format up. */
export type Migration = (level: Level) => Promise<void>
const migrations: readonly Migration[] = []

/** Brings the database to the format of this program; one that a later program wrote is refused. */
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
  for (const step of steps.slice(format - 1)) await step(level)
  if (written !== String(newest)) await level.put(key, String(newest), { sync: true })
}
