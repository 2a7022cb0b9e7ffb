import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'

/** A name of this folder's own that nobody guesses: by it the gateway knows its Traefik from any other. Stays over restarts. */
export const tokenOf = async (folder: string): Promise<string> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'token')
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (/^[0-9a-f]{32}$/.test(kept)) return kept
  const made = randomBytes(16).toString('hex')
  await writeFileAtomic(path, made)
  return made
}
