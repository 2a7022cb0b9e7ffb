import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a file so that a reader sees the old content or the new one, never a part, and no crash or full disk loses both: temp file
 * in the same folder, fsync, rename, fsync of the folder. The temp file's name begins with a dot and ends in `.tmp`; `mode` holds
 * whatever the umask is, 0600 by default. Another file at the path is replaced, a symbolic link too.
 */
export const writeFileAtomic = async (path: string, content: string | Uint8Array, mode = 0o600): Promise<void> => {
  await place(path, await stage(path, content, mode))
  await syncFolder(dirname(path))
}

/**
 * Replaces many files of one folder in the same way with one sync of the folder; `files` by name. Each is old or new whatever happens,
 * and none is replaced before all are written: a full disk changes nothing.
 */
export const writeFilesAtomic = async (folder: string, files: ReadonlyMap<string, string>, mode = 0o600): Promise<void> => {
  const staged: { path: string; temp: string }[] = []
  const waiting = files.entries()
  const work = async () => {
    for (const [name, content] of waiting) {
      const path = join(folder, name)
      staged.push({ path, temp: await stage(path, content, mode) })
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: 16 }, work))
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') {
    await Promise.all(staged.map(({ temp }) => unlink(temp).catch(() => undefined)))
    throw failed.reason
  }
  for (const { path, temp } of staged) await place(path, temp)
  await syncFolder(folder)
}

/** Writes the content durably beside the path. Returns the temp file's. */
const stage = async (path: string, content: string | Uint8Array, mode: number): Promise<string> => {
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  const file = await open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode)
  try {
    try {
      await file.chmod(mode)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await unlink(temp).catch(() => undefined)
    throw error
  }
  return temp
}

const place = async (path: string, temp: string): Promise<void> => {
  try {
    await rename(temp, path)
  } catch (error) {
    await unlink(temp).catch(() => undefined)
    throw error
  }
}

/** Makes what was created, renamed or deleted in a folder survive a power cut. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
