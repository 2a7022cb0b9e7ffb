import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'

/** Bytes of lines that wait for a disk that takes none. */
const mostWaiting = 8 * 1_048_576
/** Milliseconds between two tries on such a disk, and between two looks whether the file was renamed. */
const pause = 1_000

export interface LogFileEvents {
  /** Told once, until it is resumed. */
  failed(error: Error): void
  /** How many lines were dropped meanwhile. */
  resumed(dropped: number): void
}

/**
 * A file that lines are appended to. It follows its path when the file there was renamed, deleted or replaced, and goes on where it
 * stopped once a full disk has room. No line is written in part, and lines are dropped whole where too many wait.
 */
export class LogFile {
  readonly #path: string
  readonly #events: LogFileEvents
  #file: FileHandle
  #waiting: string[] = []
  #bytes = 0
  /** Of lines that are being written, what the disk did not take yet. */
  #rest: Buffer | undefined
  /** The first of `#rest` belongs to a line of which a part is in the file. */
  #inLine = false
  #work: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #followed = performance.now()
  #failing = false
  #dropped = 0

  private constructor(path: string, file: FileHandle, events: LogFileEvents) {
    this.#path = path
    this.#file = file
    this.#events = events
  }

  /** Rejects where the file cannot be opened: a symbolic link there could have been planted to have some other file written. */
  static async open(path: string, events: LogFileEvents): Promise<LogFile> {
    const file = await openToAppend(path)
    const opened = new LogFile(path, file, events)
    // What a crash left in the middle of a line must not spoil the next one.
    if (await endsWithinLine(path)) opened.#rest = Buffer.from('\n')
    return opened
  }

  /** `line` ends in a line feed. */
  write(line: string): void {
    if (this.#bytes + line.length > mostWaiting) {
      this.#dropped++
      return
    }
    this.#waiting.push(line)
    this.#bytes += line.length
    if (this.#retry === undefined) this.#work ??= this.#flush()
  }

  /** Follows the path now, not with one of the next lines. */
  async reopen(): Promise<void> {
    while (this.#work) await this.#work
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#followed = Number.NEGATIVE_INFINITY
    this.#work = this.#flush()
    await this.#work
  }

  async close(): Promise<void> {
    await this.reopen()
    clearTimeout(this.#retry)
    await this.#file.close()
  }

  async #flush(): Promise<void> {
    try {
      await this.#follow()
      for (this.#rest ??= this.#take(); this.#rest; this.#rest ??= this.#take()) await this.#append(this.#rest)
      if (this.#failing) this.#resume()
    } catch (error) {
      this.#fail(error)
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#work ??= this.#flush()
      }, pause).unref()
    } finally {
      this.#work = undefined
    }
  }

  #take(): Buffer | undefined {
    if (this.#waiting.length === 0) return undefined
    const content = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#bytes = 0
    return content
  }

  async #append(content: Buffer): Promise<void> {
    const { bytesWritten } = await this.#file.write(content)
    if (bytesWritten === 0) throw new Error('the disk takes nothing')
    this.#inLine = content[bytesWritten - 1] !== lineFeed
    this.#rest = bytesWritten < content.length ? content.subarray(bytesWritten) : undefined
  }

  #resume(): void {
    this.#failing = false
    const dropped = this.#dropped
    this.#dropped = 0
    this.#events.resumed(dropped)
  }

  #fail(thrown: unknown): void {
    if (!this.#failing) this.#events.failed(thrown instanceof Error ? thrown : new Error(String(thrown)))
    this.#failing = true
  }

  /** Opens the path anew where it leads to another file than the one that is written, also while that one takes nothing. */
  async #follow(): Promise<void> {
    const now = performance.now()
    if (now - this.#followed < pause && !this.#failing) return
    this.#followed = now
    const [there, own] = await Promise.all([lstat(this.#path).catch(() => undefined), this.#file.stat()])
    if (there && there.ino === own.ino && there.dev === own.dev) return
    const next = await openToAppend(this.#path)
    // The line that the old file has a part of ends there, where there is room.
    if (this.#inLine && this.#rest) this.#rest = await this.#endLine(this.#rest)
    await this.#file.close().catch(() => undefined)
    this.#file = next
    this.#inLine = false
  }

  async #endLine(rest: Buffer): Promise<Buffer | undefined> {
    const end = rest.indexOf(lineFeed) + 1
    await this.#file.write(rest.subarray(0, end)).catch(() => undefined)
    return end < rest.length ? rest.subarray(end) : undefined
  }
}

const lineFeed = 10
const { O_WRONLY, O_RDONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants

/** A pipe that nobody reads is an error, not a wait. */
const openToAppend = (path: string): Promise<FileHandle> =>
  open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)

const endsWithinLine = async (path: string): Promise<boolean> => {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  try {
    const found = await file?.stat()
    if (!file || !found?.isFile() || found.size === 0) return false
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, found.size - 1)
    return buffer[0] !== lineFeed
  } finally {
    await file?.close()
  }
}
