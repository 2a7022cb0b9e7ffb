import { type FSWatcher, watch } from 'node:fs'
import { chmod, lstat, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { reason } from '../../../core/index.ts'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'

/** What was found wrong with a file of Traefik's ACME state, as a sentence. */
type Told = (what: string) => void

/** The files in which Traefik keeps accounts, keys and certificates, one a resolver. */
const acmeFiles: readonly string[] = ['acme.json', 'acme2.json']

const backupOf = (path: string) => `${path}.backup`
/** Milliseconds in which a file that Traefik writes in place is whole again. */
const settle = 500

/**
 * Guards Traefik's ACME state, which Traefik writes in place, so that a full disk or a crash leaves a part of it: without the account
 * and the certificates in it every host would be ordered anew, against the limits of the CA. A copy of each whole file is kept beside it.
 */
export const guardAcme = async (folder: string, told: Told) => {
  const copyAll = async () => {
    for (const name of acmeFiles) await copy(join(folder, name)).catch((error) => told(`${name} has no copy: ${reason(error)}`))
  }
  const mendAll = async () => {
    for (const name of acmeFiles) await mend(join(folder, name), name, told)
  }
  await mendAll()
  await copyAll()
  let timer: NodeJS.Timeout | undefined
  const watcher: FSWatcher = watch(folder, (_, name) => {
    if (!acmeFiles.includes(name ?? '')) return
    clearTimeout(timer)
    timer = setTimeout(copyAll, settle)
  })
  // Without a watcher the copies are of the last start.
  watcher.on('error', (error) => told(`changes of ${folder} are not seen: ${reason(error)}`))
  return {
    /** For a Traefik that is about to start: files that are whole, and that it does not refuse for their mode. */
    mend: mendAll,
    close: () => {
      clearTimeout(timer)
      watcher.close()
    },
  }
}

const mend = async (path: string, name: string, told: Told): Promise<void> => {
  const found = await lstat(path).catch(() => undefined)
  // One that is not there is a start from nothing, which somebody may want.
  if (!found?.isFile()) return
  try {
    if ((found.mode & 0o077) !== 0) {
      await chmod(path, 0o600)
      told(`${name} could be read by other users, and its keys with it; its mode is 0600 again`)
    }
    if (await isWhole(path)) return
    if (!(await isWhole(backupOf(path)))) {
      if (found.size === 0) return
      await rename(path, `${path}.broken`)
      return told(`${name} is broken and there is no copy: it was moved to ${name}.broken, and certificates are ordered anew`)
    }
    const copy = await readFile(backupOf(path))
    if (found.size > 0) await rename(path, `${path}.broken`)
    await writeFileAtomic(path, copy)
    told(`${name} was broken and was restored from its copy`)
  } catch (error) {
    told(`${name} cannot be mended: ${reason(error)}`)
  }
}

const copy = async (path: string): Promise<void> => {
  const content = await readFile(path).catch(() => undefined)
  if (!content || !holdsState(content.toString('utf8'))) return
  const before = await readFile(backupOf(path)).catch(() => undefined)
  if (!before?.equals(content)) await writeFileAtomic(backupOf(path), content)
}

const isWhole = async (path: string): Promise<boolean> => holdsState(await readFile(path, 'utf8').catch(() => ''))

/** Traefik's state is a JSON object with an entry for each resolver. */
const holdsState = (text: string): boolean => {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null && !Array.isArray(found)
  } catch {
    return false
  }
}
