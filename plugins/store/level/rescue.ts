import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDamaged } from './error.ts'
import { closeLevel, type Level, openPlain } from './open.ts'
import { format, keyOf } from './record.ts'
import { isIntact } from './seal.ts'

/** Copies all that is intact into a new database and puts that in the place of `level`, which it closes. The old one stays beside it. */
export const rescue = async (
  level: Level,
  path: string,
): Promise<{ readonly damaged: readonly string[]; readonly old: string }> => {
  const [fresh, old] = [`${path}.new`, `${path}.damaged`]
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { mode: 0o700 })
  const target = await openPlain(fresh)
  const damaged = new Set<string>()
  for await (const rows of everything(level)) {
    const copies = rows.map(([key, value]) => {
      if (key === format || key.startsWith(keyOf('quarantine', '')) || isIntact(key, value))
        return { type: 'put' as const, key, value }
      damaged.add(key)
      return { type: 'put' as const, key: keyOf('quarantine', key), value }
    })
    await target.batch<string, Uint8Array>(copies, { valueEncoding: 'view', sync: true })
  }
  await target.close()
  await closeLevel(level, path)
  await rm(old, { recursive: true, force: true })
  await rename(path, old)
  await rename(fresh, path)
  const root = await open(dirname(path))
  await root.sync().finally(() => root.close())
  return { damaged: [...damaged], old }
}

/** A damaged table ends a read with an error that swallows the last rows of it: then all is read once more, row by row. */
const everything = async function* (level: Level) {
  for (const size of [1_000, 1]) {
    const iterator = level.iterator<string, Uint8Array>({ valueEncoding: 'view', fillCache: false })
    try {
      for (let rows = await iterator.nextv(size); rows.length > 0; rows = await iterator.nextv(size)) yield rows
      return
    } catch (error) {
      if (!isDamaged(error)) throw error
    } finally {
      await iterator.close()
    }
  }
}
