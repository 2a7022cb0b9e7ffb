import { type FSWatcher, type Stats, statSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Calls back when a file was written, replaced or came back, a moment after the last of several changes. Folders are watched, as a
 * file that is replaced by rename is another file; and what no watch tells (network file systems, a symbolic link further up) is
 * found by looking every `poll` milliseconds.
 */
export const watchFiles = async (files: readonly string[], poll: number, changed: () => void): Promise<{ close(): void }> => {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly ino: number }>()
  let settled: NodeJS.Timeout | undefined
  let seen = await marks(files)
  let closed = false

  const look = async () => {
    const now = await marks(files)
    if (closed || now === seen) return
    seen = now
    changed()
  }
  const soon = () => {
    clearTimeout(settled)
    settled = setTimeout(() => void look(), quiet)
  }
  const attach = () => {
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      try {
        // A folder that was deleted and made again is another one, and the old watch is deaf.
        const { ino } = statSync(folder)
        const old = watchers.get(folder)
        if (old?.ino === ino) continue
        old?.watcher.close()
        const watcher = watch(folder, { persistent: false }, soon)
        watcher.on('error', () => watcher.close())
        watchers.set(folder, { watcher, ino })
      } catch {
        // It is not there now, or cannot be watched: the timer tries again.
      }
    }
  }
  const timer = setInterval(() => {
    attach()
    void look()
  }, poll)
  timer.unref()
  attach()
  // What changed before the watch stood.
  void look()
  return {
    close() {
      closed = true
      clearInterval(timer)
      clearTimeout(settled)
      for (const { watcher } of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}

const quiet = 100

const marks = async (files: readonly string[]) => (await Promise.all(files.map(mark))).join(' ')
const mark = async (file: string): Promise<string> => {
  const found: Stats | undefined = await stat(file).catch(() => undefined)
  return found ? `${found.dev}.${found.ino}.${found.mtimeMs}.${found.ctimeMs}.${found.size}` : 'none'
}
