import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'

/** Writes one file and puts it back whenever it is changed or lost; `mended` is told. Returns what ends that. */
export const holdFile = async (path: string, text: string, mended: (error?: unknown) => void): Promise<() => void> => {
  const differs = async () => (await readFile(path, 'utf8').catch(() => undefined)) !== text
  if (await differs()) await writeFileAtomic(path, text)
  let timer: NodeJS.Timeout | undefined
  const mend = async () => {
    timer = undefined
    if (!(await differs())) return
    await writeFileAtomic(path, text)
    mended()
  }
  const watcher = watch(dirname(path), (_, name) => {
    if (name === basename(path)) timer ??= setTimeout(() => mend().catch(mended), 50)
  }).on('error', mended)
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}
