import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPlainFile } from '../plain-file.ts'
import type { Unread } from './folder.ts'

/** Where Traefik keeps the accounts and certificates of its two resolvers, below the root of a gateway. */
export const acmeFiles = ['traefik/acme.json', 'traefik/acme2.json']

/** Copies them from one root to another, for their owner alone, where they are JSON and none is there. Resolves with what was copied, and what not and why. */
export const copyAcme = async (from: string, to: string): Promise<{ copied: readonly string[]; left: readonly Unread[] }> => {
  const copied: string[] = []
  const left: Unread[] = []
  await mkdir(join(to, 'traefik'), { recursive: true, mode: 0o700 })
  for (const name of acmeFiles) {
    const [path, target] = [join(from, name), join(to, name)]
    const why = await copy(path, target).catch((error) => said(error, target))
    if (why === undefined) copied.push(target)
    else if (why !== absent) left.push({ path, why })
  }
  return { copied, left }
}

/** Of an acme.json with its certificates: 64 MiB are those of some 10,000. */
const mostBytes = 64 * 1_048_576

const absent = 'it is not there'

const copy = async (path: string, target: string): Promise<string | undefined> => {
  const text = await readPlainFile(path, mostBytes)
  // Traefik makes an empty file before it has an account.
  if (text.trim() === '') return absent
  try {
    JSON.parse(text)
  } catch {
    return 'it is no JSON, so that Traefik could not read it either'
  }
  await writeFile(target, text, { flag: 'wx', mode: 0o600 })
  return undefined
}

const said = (error: unknown, target: string): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return absent
  if (code === 'EEXIST') return `${target} is there already and stays`
  return `it cannot be copied: ${error instanceof Error ? error.message : String(error)}`
}
