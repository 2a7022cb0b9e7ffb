import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

/** Bytes of lines that wait for a reader, and milliseconds between two tries. */
const [mostWaiting, pause] = [1_048_576, 100]

/**
 * Writes lines to standard output or standard error and never waits for whoever reads them: what a stuck reader leaves no room for is
 * dropped by whole lines. `resumed` is called with their number once lines are taken again.
 */
export class LineWriter {
  readonly #fd: number
  readonly #resumed: (dropped: number) => void
  /** The first may be the rest of a line of which a part was taken. */
  readonly #waiting: Buffer[] = []
  #bytes = 0
  #dropped = 0
  #retry: NodeJS.Timeout | undefined

  constructor(fd: 1 | 2, resumed: (dropped: number) => void) {
    this.#fd = withoutWaiting(fd)
    this.#resumed = resumed
  }

  /** `line` ends in a line feed. */
  write(line: string): void {
    const content = Buffer.from(line)
    if (this.#waiting.length > 0 && this.#bytes + content.length > mostWaiting) {
      this.#dropped++
      return
    }
    this.#waiting.push(content)
    this.#bytes += content.length
    if (this.#retry === undefined) this.#flush()
  }

  /** Before the process ends: keeps trying for so many milliseconds, in which nothing else runs. */
  finish(milliseconds: number): void {
    const until = performance.now() + milliseconds
    const clock = new Int32Array(new SharedArrayBuffer(4))
    for (this.#flush(); this.#waiting.length > 0 && performance.now() < until; this.#flush()) Atomics.wait(clock, 0, 0, 10)
  }

  #flush(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const taken = this.#take(next)
      this.#bytes -= taken
      if (taken < next.length) {
        this.#waiting[0] = next.subarray(taken)
        this.#retry = setTimeout(() => this.#flush(), pause).unref()
        return
      }
      this.#waiting.shift()
    }
    const dropped = this.#dropped
    this.#dropped = 0
    if (dropped > 0) this.#resumed(dropped)
  }

  /** Bytes that were taken. A reader that is gone or a disk that is full may come back, and is no reason to end. */
  #take(content: Buffer): number {
    try {
      return writeSync(this.#fd, content)
    } catch {
      return 0
    }
  }
}

/**
 * The descriptor, or one of the same file, that refuses a write where it would wait. A pipe or terminal is opened anew, so that programs
 * that share it keep theirs as it is; where that is not allowed, and for a socket, Node's own stream makes it so.
 */
const withoutWaiting = (fd: 1 | 2): number => {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  try {
    const kind = fstatSync(fd)
    if (kind.isFile()) return fd
    if (!kind.isSocket()) {
      const own = openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
      const { dev, ino } = fstatSync(own)
      if (dev === kind.dev && ino === kind.ino) return own
      closeSync(own)
    }
  } catch {
    // Of another user, or there is no /proc.
  }
  void (fd === 1 ? process.stdout : process.stderr)
  return fd
}
