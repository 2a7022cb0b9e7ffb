import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { writeFileAtomic } from '../../../../lib/atomic-file.ts'

/** A key with its part as JSON, or null where it is gone. */
export type Written = readonly [key: string, json: string | null]
interface Entry {
  readonly revision: string
  readonly changes: readonly Written[]
}

/** Changes a line, so much at most before the file is written anew, in bytes beyond twice its size after the last time. */
const slack = 4 << 20
const perLine = 256

/**
 * The durable document: a file of lines, each a checksum and some changes, that is appended to and synced, and written anew when it has
 * grown. What follows a line that does not check (a torn write) is left out. `revision` is a chain over all changes: equal revisions,
 * equal documents.
 */
export class Journal {
  revision: string
  readonly #path: string
  readonly #all: () => Iterable<Written>
  #file: FileHandle | undefined
  #size = 0
  #limit = slack

  private constructor(path: string, revision: string, all: () => Iterable<Written>) {
    this.#path = path
    this.revision = revision
    this.#all = all
  }

  /** Reads the file of `folder`, gives each change in it to `put`, and opens it for more. `all` is what a new file is written from. */
  static async open(folder: string, put: (change: Written) => void, all: () => Iterable<Written>): Promise<Journal> {
    const path = join(folder, 'document')
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0)
      throw error
    })
    let revision = '0'
    let end = 0
    for (let next = bytes.indexOf(10); next >= 0; next = bytes.indexOf(10, end)) {
      const entry = readLine(bytes.subarray(end, next).toString())
      if (!entry) break
      for (const change of entry.changes) put(change)
      revision = entry.revision
      end = next + 1
    }
    if (end < bytes.length) await writeFileAtomic(`${path}.damaged`, bytes.subarray(end))
    const journal = new Journal(path, revision, all)
    await journal.#rewrite()
    return journal
  }

  /** Resolves when a crash can no longer lose the changes. Rejects, with the file as it was, where the disk takes no more. Never twice at once. */
  async append(changes: readonly Written[]): Promise<void> {
    const revision = follow(this.revision, changes)
    const line = writeLine({ revision, changes })
    if (this.#size + line.length > this.#limit) await this.#rewrite()
    const file = this.#file ?? (await this.#reopen())
    try {
      // A disk with little room takes a part, and says so; what is left over then fails.
      for (let done = 0; done < line.length; )
        done += (await file.write(line, done, line.length - done, this.#size + done)).bytesWritten
      await file.datasync()
    } catch (error) {
      await file.truncate(this.#size).catch(() => undefined)
      throw error
    }
    this.#size += line.length
    this.revision = revision
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #rewrite(): Promise<void> {
    const lines: Buffer[] = []
    let some: Written[] = []
    // Only the last line has the revision: whoever reads less has another document.
    for (const change of this.#all()) {
      if (some.push(change) < perLine) continue
      lines.push(writeLine({ revision: '0', changes: some }))
      some = []
    }
    lines.push(writeLine({ revision: this.revision, changes: some }))
    const whole = Buffer.concat(lines)
    await writeFileAtomic(this.#path, whole)
    await this.close()
    this.#size = whole.length
    this.#limit = 2 * whole.length + slack
    await this.#reopen()
  }

  async #reopen(): Promise<FileHandle> {
    this.#file = await open(this.#path, constants.O_RDWR | constants.O_NOFOLLOW)
    return this.#file
  }
}

const follow = (before: string, changes: readonly Written[]): string => {
  const count = Number(before.split('.')[0]) + 1
  return `${count}.${createHash('sha256').update(before).update(JSON.stringify(changes)).digest('hex').slice(0, 24)}`
}

const writeLine = (entry: Entry): Buffer => {
  const text = JSON.stringify(entry)
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}\n`)
}

const readLine = (line: string): Entry | undefined => {
  const text = line.slice(9)
  if (Number.parseInt(line.slice(0, 8), 16) !== crc32(text)) return undefined
  const entry: Entry = JSON.parse(text)
  return entry
}
