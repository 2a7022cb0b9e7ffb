import type { Event, Health } from '../../../core/index.ts'
import { isDamaged, storageError } from './error.ts'
import { closeToOthers, stateFolder } from './folder.ts'
import { checkFormat } from './format.ts'
import { closeLevel, type Level, openLevel } from './open.ts'
import type { Row, Table } from './record.ts'
import { rescue } from './rescue.ts'
import { put } from './rows.ts'
import { Damage } from './seal.ts'

export interface Database {
  /** All of it or nothing, durable. Never called while a call runs. Rejects with STORAGE, and then nothing of it is there. */
  write(rows: readonly Row[]): Promise<void>
  each(table: Table, take: (key: string, value: string) => void): Promise<void>
  eachBinary(table: Table, take: (key: string, value: Uint8Array) => void): Promise<void>
  raw(key: string): Promise<Uint8Array | undefined>
  /** Runs `work`; where it meets damage, all that is intact moves to a new database and it runs once more. */
  rescuing<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}
interface Options {
  readonly sync: boolean
  readonly emit: (event: Event) => void
  readonly health: (state: Health, reason?: string) => void
}

export const openDatabase = async (root: string, { sync, emit, health }: Options): Promise<Database> => {
  const path = await stateFolder(root)
  const alarm = (message: string) =>
    emit({
      type: 'alarm',
      code: 'STORAGE',
      message,
      fix: 'compare the list of workloads with what it should be, or restore the folder from a backup',
    })
  const damage = (why: string) => alarm(`${path} was damaged and is put right, records may be missing: ${why}`)
  let level = await openLevel(path, damage)
  const rescuing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Damage) && !isDamaged(error)) throw storageError(path, error)
      const { damaged, old } = await rescue(level, path)
      level = await openLevel(path, damage)
      damage(`what it was is in ${old}`)
      for (const key of damaged.slice(0, 20)) alarm(`stored record ${key} is damaged and set aside`)
      if (damaged.length > 20) alarm(`${damaged.length - 20} more stored records are damaged and set aside`)
      return await work()
    }
  }
  await rescuing(() => checkFormat(level, path)).catch(async (error: unknown) => {
    await closeLevel(level, path)
    throw storageError(path, error)
  })
  /** After a failed write: rows as they were before it, since part of it may be in the log and come back. */
  let undo: Row[] | undefined
  let unswept = 0

  const reopen = async (rows: readonly Row[]) => {
    await level.close()
    level = await openLevel(path, damage)
    await put(level, rows, true)
    undo = undefined
    health('ok')
  }
  const write = async (rows: readonly Row[]) => {
    try {
      if (undo) await reopen(undo)
      await put(level, rows, sync).catch(async (error: unknown) => {
        // LevelDB takes no write after a failed one until it is opened again; that may need the space that is missing.
        undo = await before(level, rows)
        await reopen(undo).catch(() => undefined)
        throw error
      })
    } catch (error) {
      const failure = storageError(path, error)
      if (undo) health('degraded', failure.message)
      throw failure
    }
    unswept += rows.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
    if (unswept > sweepAfter) {
      unswept = 0
      await closeToOthers(path).catch(() => undefined) // the rows are durable whatever becomes of the modes
    }
  }

  return {
    write,
    each: (table, take) => walk(level.iterator({ ...range(table), ...ahead }), take),
    eachBinary: (table, take) =>
      walk(level.iterator<string, Uint8Array>({ ...range(table), ...ahead, valueEncoding: 'view' }), take),
    raw: (key) => level.get<string, Uint8Array>(key, { valueEncoding: 'view' }),
    rescuing,
    close: () => closeLevel(level, path),
  }
}

/** Bytes of writes until the modes are looked at again; LevelDB starts a file about every 4 MiB. */
const sweepAfter = 1 << 20
const range = (table: Table) => ({ gte: `${table}!`, lt: `${table}"` })
const ahead = { highWaterMarkBytes: 1 << 20, fillCache: false }

const before = async (level: Level, rows: readonly Row[]): Promise<Row[]> => {
  const keys = [...new Set(rows.map(({ key }) => key))]
  const values = await level.getMany<string, Uint8Array>(keys, { valueEncoding: 'view' })
  return keys.map((key, place) => ({ key, value: values[place] ?? null }))
}

/** LevelDB reads on in a thread of its own while what it read before is taken. */
const walk = async <V>(iterator: Entries<V>, take: (key: string, value: V) => void) => {
  let ahead = iterator.nextv(1_000)
  try {
    for (let rows = await ahead; rows.length > 0; rows = await ahead) {
      ahead = iterator.nextv(1_000)
      for (const [key, value] of rows) take(key, value)
    }
  } finally {
    await ahead.catch(() => undefined)
    await iterator.close()
  }
}
interface Entries<V> {
  nextv(size: number): Promise<[string, V][]>
  close(): Promise<void>
}
