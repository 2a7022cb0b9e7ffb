import { createHash, randomBytes } from 'node:crypto'
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

/** Secrets for one purpose each, so that none of them tells another: Traefik shows some in its API and writes some to its access log. */
export const relayTokenOf = (token: string): string => derived(token, 'relay')
export const apiPasswordOf = (token: string): string => derived(token, 'api')
/** The user that the gateway asks Traefik's API as. */
export const apiUser = 'gateway'

const derived = (token: string, purpose: string): string => createHash('sha256').update(`${purpose} ${token}`).digest('hex')
