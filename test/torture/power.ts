import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A machine that can lose its power: `cut`, after a process was killed, takes from every file below `root` what the process had not
 * synced. Names in folders are kept, synced or not. Needs a C compiler.
 */
export const power = (folder: string) => {
  const [library, journal] = [join(folder, 'synced.so'), join(folder, 'synced')]
  const source = fileURLToPath(new URL('synced.c', import.meta.url))
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`cc: ${made.error?.message ?? made.stderr}; apt-get install gcc libc6-dev`)
  writeFileSync(journal, '')
  return {
    env: { LD_PRELOAD: library, SYNCED: journal },
    /** Returns how many bytes went. */
    cut(root: string): number {
      const synced = new Map<string, number>()
      for (const line of readFileSync(journal, 'utf8').split('\n')) {
        const [inode = '', size = ''] = line.split(' ')
        if (inode) synced.set(inode, Number(size))
      }
      let lost = 0
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        const path = join(root, name)
        const { ino, size, isFile } = about(path)
        const safe = synced.get(String(ino))
        // What was there before the first start is on the disk.
        if (!isFile || safe === undefined || safe >= size) continue
        truncateSync(path, safe)
        lost += size - safe
      }
      return lost
    },
  }
}

const about = (path: string) => {
  const found = statSync(path)
  return { ino: found.ino, size: found.size, isFile: found.isFile() }
}
