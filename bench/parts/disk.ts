import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A file that grows by a small record and is synced, as a store's log is: each call gives the milliseconds of one fdatasync. */
export const syncProbe = async (folder: string) => {
  const path = join(folder, 'sync-probe')
  const file = await open(path, 'w')
  const record = Buffer.alloc(300, 1)
  return {
    async once(): Promise<number> {
      const began = performance.now()
      await file.write(record)
      await file.datasync()
      return performance.now() - began
    },
    async close() {
      await file.close()
      await rm(path, { force: true })
    },
  }
}

/** Milliseconds of `count` syncs one after another. */
export const syncTimes = async (folder: string, count: number): Promise<readonly number[]> => {
  const probe = await syncProbe(folder)
  const samples: number[] = []
  for (let i = 0; i < count; i++) samples.push(await probe.once())
  await probe.close()
  return samples
}
