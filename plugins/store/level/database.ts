import type { Event, Health } from '../../../core/index.ts'
import { reason } from '../../../core/index.ts'
import { closeToOthers, stateFolder } from './folder.ts'
import { checkFormat } from './format.ts'
import { closeLevel, isCorruption, type Level, openLevel, repairLevel, storageError } from './open.ts'
import type { Row, Table } from './record.ts'

export interface Database {
  /** All of it or nothing, durable. Never called while a call runs. Rejects with STORAGE, and then nothing of it is there. */
  write(rows: readonly Row[]): Promise<void>
  each(table: Table, take: (key: string, value: string) => void): Promise<void>
  eachBinary(table: Table, take: (key: string, value: Uint8Array) => void): Promise<void>
  raw(key: string): Promise<Uint8Array | undefined>
  /** Runs `work`; where it meets a damaged table the database is repaired and it runs once more. */
  repairing<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}
interface Options {
  readonly sync: boolean
  readonly emit: (event: Event) => void
  readonly health: (state: Health, reason?: string) => void
}

export const openDatabase = async (root: string, { sync, emit, health }: Options): Promise<Database> => {
  const path = await stateFolder(root)
  const repaired = (why: string) =>
    emit({
      type: 'alarm',
      code: 'STORAGE',
      message: `${path} was damaged and is repaired, records may be missing: ${why}`,
      fix: 'compare the list of workloads with what it should be, or restore the folder from a backup',
    })
  let level = await openLevel(path, repaired)
  await checkFormat(level, path).catch(async (error: unknown) => {
    await closeLevel(level, path)
    throw storageError(path, error)
  })
  /** After a failed write: rows as they were before it, since part of it may be in the log and come back. */
  let undo: Row[] | undefined
  let unswept = 0

  const reopen = async (rows: readonly Row[]) => {
    await level.close()
    level = await openLevel(path, repaired)
    await put(level, rows, true)
    undo = undefined
    health('ok')
  }
  const write = async (rows: readonly Row[]) => {
    try {
      if (undo) await reopen(undo)
      await put(level, rows, sync)
    } catch (error) {
      // LevelDB takes no write after a failed one until it is opened again; that may need the space that is missing.
      undo ??= await before(level, rows)
      await reopen(undo).catch(() => undefined)
      const failure = storageError(path, error)
      if (undo) health('degraded', failure.message)
      throw failure
    }
    unswept += rows.length
    if (unswept > sweepAfter) {
      unswept = 0
      await closeToOthers(path)
    }
  }

  return {
    write,
    each: (table, take) => walk(level.iterator({ ...range(table), ...ahead }), take),
    eachBinary: (table, take) =>
      walk(level.iterator<string, Uint8Array>({ ...range(table), ...ahead, valueEncoding: 'view' }), take),
    raw: (key) => level.get<string, Uint8Array>(key, { valueEncoding: 'view' }),
    repairing: async (work) => {
      try {
        return await work()
      } catch (error) {
        if (!isCorruption(error)) throw storageError(path, error)
        repaired(reason(error))
        await level.close()
        await repairLevel(path)
        level = await openLevel(path, repaired)
        return await work()
      }
    },
    close: () => closeLevel(level, path),
  }
}

/** LevelDB starts a file about every 4 MiB of writes; this is well before. */
const sweepAfter = 4_000
const range = (table: Table) => ({ gt: `${table}!`, lt: `${table}"` })
const ahead = { highWaterMarkBytes: 1 << 20, fillCache: false }

const put = (level: Level, rows: readonly Row[], sync: boolean) =>
  level.batch<string, string | Uint8Array>(rows.map(operation), { sync })
const operation = ({ key, value }: Row) => {
  if (value === null) return { type: 'del' as const, key }
  return { type: 'put' as const, key, value, valueEncoding: typeof value === 'string' ? 'utf8' : 'view' }
}

const before = async (level: Level, rows: readonly Row[]): Promise<Row[]> => {
  const keys = [...new Set(rows.map(({ key }) => key))]
  const values = await level.getMany<string, Uint8Array>(keys, { valueEncoding: 'view' })
  return keys.map((key, place) => ({ key, value: values[place] ?? null }))
}

const walk = async <V>(iterator: Entries<V>, take: (key: string, value: V) => void) => {
  try {
    for (let rows = await iterator.nextv(1_000); rows.length > 0; rows = await iterator.nextv(1_000)) {
      for (const [key, value] of rows) take(key, value)
    }
  } finally {
    await iterator.close()
  }
}
interface Entries<V> {
  nextv(size: number): Promise<[string, V][]>
  close(): Promise<void>
}
