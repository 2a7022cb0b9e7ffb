import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Core, reason } from '../../../core/index.ts'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'
import type { Recorded } from '../../../lib/supervision/child-records.ts'

/**
 * The records of a folder, written in order and behind the work: a slow disk keeps no child from serving. Until one is written, or
 * while the disk is full, the mark in the child's environment is what a later gateway knows it by.
 */
export const recordsOf = (folder: string, log: Core['log']) => {
  const wanted = new Map<string, Recorded | undefined>()
  const complained = new Set<string>()
  let writing: Promise<void> | undefined

  const write = async () => {
    for (const [name, record] of wanted) {
      const path = join(folder, `${name}.json`)
      try {
        await (record ? writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`) : rm(path, { force: true }))
        complained.delete(name)
        // A newer one may have come meanwhile.
        if (wanted.get(name) === record) wanted.delete(name)
      } catch (error) {
        if (!complained.has(name)) log(`${name} could not be recorded, which is tried again: ${reason(error)}`)
        complained.add(name)
      }
    }
  }
  const again = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }
  /** One round may end as a change comes. */
  const written = async (): Promise<void> => {
    await again()
    if (wanted.size) await again()
  }
  return {
    put: (record: Recorded): void => {
      wanted.set(record.name, record)
      void written()
    },
    drop: async (name: string): Promise<void> => {
      wanted.set(name, undefined)
      await written()
    },
    /** Tries again what could not be written. */
    again: (): void => void (wanted.size && again()),
    written,
  }
}
