import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError, reason } from '../../../core/index.ts'
import { codeOf } from './error.ts'

/** The state folder, mode 0700, made where it is not there. Private keys are in it: one that others can reach or planted is refused. */
export const stateFolder = async (root: string): Promise<string> => {
  const path = join(root, 'state')
  try {
    await finishRescue(path)
    await mkdir(path, { mode: 0o700 })
    await chmod(path, 0o700) // the umask may have taken bits of the owner's away
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable(root, path, error)
    await inspect(path).catch((cause: unknown) => {
      throw cause instanceof GatewayError ? cause : unusable(root, path, cause)
    })
  }
  return path
}

/** A rescue that was cut off between its two renames left the whole new database beside the place. */
const finishRescue = async (path: string) => {
  if (await exists(path)) return
  if (await exists(`${path}.damaged`)) await rename(`${path}.new`, path).catch(ignoreGone)
}
const exists = (path: string) =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      ignoreGone(error)
      return false
    },
  )

const inspect = async (path: string) => {
  const found = await lstat(path)
  if (!found.isDirectory())
    throw refusedFolder(path, found.isSymbolicLink() ? 'is a symbolic link' : 'is not a folder', 'move it away')
  const uid = process.geteuid?.() ?? found.uid
  if (found.uid !== uid) {
    throw refusedFolder(path, `belongs to user ${found.uid}, the gateway runs as ${uid}`, `run: chown -R ${uid} ${path}`)
  }
  const entries = await readdir(path, { withFileTypes: true })
  if (entries.length > 0 && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8)
    throw refusedFolder(path, `holds private keys and is open to others (mode ${mode})`, `run: chmod 700 ${path}`)
  }
  const link = entries.find((entry) => entry.isSymbolicLink())
  if (link) throw refusedFolder(join(path, link.name), 'is a symbolic link', 'remove it')
  await chmod(path, 0o700)
  await writeFile(join(path, 'PID.new'), '', { mode: 0o600 }) // tells a read-only file system apart at once
  await rm(join(path, 'PID.new'))
}

/** LevelDB opens its files with the umask of the process; nobody gets at them behind 0700, and a copy of the folder keeps 0600. */
export const closeToOthers = async (path: string) => {
  for (const entry of await readdir(path)) {
    await chmod(join(path, entry), entry === 'lost' ? 0o700 : 0o600).catch(ignoreGone)
  }
}
const ignoreGone = (error: unknown) => {
  if (codeOf(error) !== 'ENOENT') throw error
}

/** Who holds the lock, for the message of the one who does not get it. The lock itself is LevelDB's. */
export const holder = {
  write: async (path: string) => {
    const own = String(process.pid)
    if ((await holder.read(path)) !== own) await writeFile(join(path, 'PID'), `${own}\n`, { mode: 0o600 })
  },
  read: async (path: string) => (await readFile(join(path, 'PID'), 'utf8').catch(() => '')).trim(),
  remove: (path: string) => rm(join(path, 'PID'), { force: true }),
}

const refusedFolder = (path: string, what: string, fix: string) => new GatewayError('ROOT_UNUSABLE', `${path} ${what}`, fix)
const unusable = (root: string, path: string, cause: unknown): GatewayError => {
  const fail = (message: string, fix: string) => new GatewayError('ROOT_UNUSABLE', message, fix, { cause })
  switch (codeOf(cause)) {
    case 'ENOENT':
      return fail(`the folder ${root} does not exist`, `run: mkdir -p ${root}, or name another --root`)
    case 'ENOTDIR':
      return fail(`${root} is not a folder`, 'name a folder as --root')
    case 'EACCES':
    case 'EPERM':
      return fail(
        `the gateway may not write to ${path}`,
        `give user ${process.geteuid?.() ?? ''} write access to ${root}, or name another --root`,
      )
    case 'EROFS':
      return fail(`${root} is on a read-only file system`, 'mount it writable, or name another --root')
    case 'ENOSPC':
    case 'EDQUOT':
      return new GatewayError('STORAGE', `no space left for ${path}`, 'free some space on its file system', { cause })
    default:
      return fail(`${path} cannot be used: ${reason(cause)}`, 'name another --root')
  }
}
