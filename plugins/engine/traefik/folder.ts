import { type FSWatcher, watch } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { GatewayError } from '../../../core/index.ts'
import { syncFolder, writeFilesAtomic } from '../../../lib/atomic-file.ts'
import { inTurn } from '../../../lib/one-by-one.ts'

export interface Found {
  readonly name: string
  /** `foreign`: moved aside. `edited`, `lost`: put back. */
  readonly what: 'foreign' | 'edited' | 'lost'
}

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left in',
  EDQUOT: 'no space left in',
  EROFS: 'read-only file system at',
  EACCES: 'this user may not write to',
  EPERM: 'this user may not write to',
}
/** An error of the disk as callers may see it. */
const asStorage = (path: string, error: unknown): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const what = causes[code]
  const fix = 'make space or mend the folder; what was served is served on, and the change can be asked for again'
  return what === undefined ? error : new GatewayError('STORAGE', `${what} ${path}`, fix, { cause: error })
}

/** What stands in the file of a deleted route that cannot be unlinked yet. */
export const noRoute = '# deleted\n'

/** Who holds a folder in this process: a reload has two engines on it for a while, and the newest is right. */
const holders = new Map<string, Folder>()

/** Of a name that is kept of a file moved aside: with the time before it no file system finds it too long. */
const longest = 70

/** Files that the gateway moved aside are kept here, beside the folder. */
const asideOf = (path: string) => `${path}-aside`
const settle = 50
/** Milliseconds until it is tried again where what is to be mended cannot be. */
const pause = 1_000

/**
 * A folder that is the gateway's alone: what is in it is what was written here, whoever edits, deletes or adds files. One wrong file
 * in it would stop every later change of Traefik.
 */
export class Folder {
  readonly path: string
  readonly #files = new Map<string, string>()
  readonly #found: (found: readonly Found[]) => unknown
  readonly #failed: (error: unknown) => void
  #watcher: FSWatcher | undefined
  /** What is watched is not at the path any more. */
  #gone = false
  #touched = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  readonly #inTurn = inTurn()

  /** `found` is told what was mended; `failed` what could not be. */
  constructor(path: string, found: (found: readonly Found[]) => unknown, failed: (error: unknown) => void) {
    this.path = path
    this.#found = found
    this.#failed = failed
  }

  /** Brings the folder to these files, by name, writing only what differs, and holds it there. */
  async open(files: ReadonlyMap<string, string>): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    const holder = holders.get(this.path)
    holders.set(this.path, this)
    if (holder !== this) await holder?.close()
    await this.#inTurn(async () => {
      this.#files.clear()
      for (const [name, content] of files) this.#files.set(name, content)
      await this.#mend(new Set([...files.keys(), ...(await readdir(this.path))]), true)
    })
    if (!this.#closed && !this.#watcher) this.#watch()
  }

  /** Writes and deletes files, durably and all or none of the writes. Nothing, once another holds the folder. */
  change(write: ReadonlyMap<string, string>, remove: Iterable<string> = []): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) return
      await this.#write(write).catch((error) => {
        throw asStorage(this.path, error)
      })
      for (const [name, content] of write) this.#files.set(name, content)
      const gone = [...remove].filter((name) => this.#files.delete(name))
      await Promise.all(gone.map((name) => rm(join(this.path, name), { force: true })))
      if (gone.length > 0) await syncFolder(this.path)
    })
  }

  /** Whether it is to have a file of this name. */
  has(name: string): boolean {
    return this.#files.has(name)
  }

  /** How many files that were not the gateway's lie where, as a sentence; none, and it is empty. */
  async aside(): Promise<string> {
    const folder = asideOf(this.path)
    const { length } = await readdir(folder).catch(() => [])
    return length === 0 ? '' : `${length} ${length === 1 ? 'file' : 'files'} in ${folder}`
  }

  async close(): Promise<void> {
    this.#closed = true
    if (holders.get(this.path) === this) holders.delete(this.path)
    this.#watcher?.close()
    clearTimeout(this.#timer)
    await this.#inTurn(async () => undefined)
  }

  #watch(): void {
    this.#watcher?.close()
    this.#watcher = watch(this.path, (_, name) => {
      // The folder itself: it was deleted or moved away.
      if (name === basename(this.path)) this.#gone = true
      this.#touch(name ?? '')
    }).on('error', this.#failed)
    this.#gone = false
  }

  #touch(name: string): void {
    this.#touched.add(name)
    this.#soon(settle)
  }
  #soon(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const touched = this.#touched
      this.#touched = new Set()
      this.#inTurn(() => this.#mend(touched, false)).catch((error) => {
        this.#failed(asStorage(this.path, error))
        this.#touched = touched.union(this.#touched)
        if (!this.#closed) this.#soon(pause)
      })
    }, milliseconds)
  }

  /** Of a folder that was taken away too. */
  async #write(files: ReadonlyMap<string, string>): Promise<void> {
    await writeFilesAtomic(this.path, files).catch(async (error) => {
      if (error.code !== 'ENOENT') throw error
      this.#gone = true
      await this.#mend(new Set(), false)
      await writeFilesAtomic(this.path, files)
    })
  }
  /** Has the folder be there again, and watched. Returns the names of all that is in it or should be. */
  async #again(): Promise<ReadonlySet<string>> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    this.#watch()
    return new Set([...this.#files.keys(), ...(await readdir(this.path))])
  }

  /** `starting`: what is there may be of an earlier time, and nobody edited it. */
  async #mend(names: ReadonlySet<string>, starting: boolean): Promise<void> {
    if (this.#closed) return
    const found: Found[] = []
    const foreign: string[] = []
    const write = new Map<string, string>()
    for (const name of this.#gone ? await this.#again() : names) {
      const wanted = this.#files.get(name)
      if (wanted === undefined && name !== '') foreign.push(name)
      if (wanted === undefined) continue
      const there = await this.#read(name)
      if (there === wanted) continue
      write.set(name, wanted)
      if (!starting) found.push({ name, what: there === undefined ? 'lost' : 'edited' })
    }
    if (write.size > 0) await writeFilesAtomic(this.path, write)
    try {
      for (const name of foreign) if (await this.#putAside(name, starting)) found.push({ name, what: 'foreign' })
    } finally {
      if (found.length > 0) this.#found(found)
    }
  }

  /** A folder cannot be replaced by a file: it is put aside. */
  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EISDIR') await this.#putAside(name, false)
      return undefined
    }
  }

  async #putAside(name: string, starting: boolean): Promise<boolean> {
    const path = join(this.path, name)
    // Left by a write that did not end; nobody else names files so.
    if (/^\..*\.[0-9a-f]{12}\.tmp$/.test(name)) {
      if (starting) await unlink(path).catch(() => undefined)
      return false
    }
    if (starting && (await readFile(path, 'utf8').catch(() => undefined)) === noRoute) {
      await unlink(path).catch(() => undefined)
      return false
    }
    await mkdir(asideOf(this.path), { recursive: true, mode: 0o700 })
    const to = join(asideOf(this.path), `${new Date().toISOString().replaceAll(':', '')}-${name.slice(-longest)}`)
    return rename(path, to).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false
        throw error
      },
    )
  }
}
