import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Root {
  /** An empty folder, mode 0700. */
  readonly path: string
  /** Deletes it with all that is in it. Twice is once. */
  remove(): Promise<void>
}

/** A new empty folder. What nobody removed goes when the process exits. */
export const tempRoot = (name = 'gateway'): Root => {
  const path = mkdtempSync(join(tmpdir(), `${name}-`))
  if (!watched) process.once('exit', removeLeft)
  watched = true
  left.add(path)
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
      left.delete(path)
    },
  }
}

const left = new Set<string>()
let watched = false
const removeLeft = () => {
  for (const path of left) rmSync(path, { recursive: true, force: true })
}
