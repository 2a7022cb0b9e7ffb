interface Asked {
  readonly generation: number
  readonly at: number
  /** No other read could be under way: one that has this generation has all that was written before. */
  readonly alone: boolean
}

/** ms that a read is taken to last where none was measured yet. */
const usual = 100

/**
 * Whether Traefik may be reading its folder of routes, and what it has for certain. It reads all of it once at its start and once after
 * each SIGHUP, one read after another; a signal that comes during a read leads to one more. A file that vanishes between the listing and
 * its turn has Traefik drop the whole read, and a file that is written during a read may be in it or not
 * (https://github.com/traefik/traefik/blob/v3.6.15/pkg/provider/file/file.go).
 */
export class FolderReads {
  #pid: number | undefined
  /** Signals whose reads may not be over. */
  #asked: Asked[] = []
  /** A read that nothing shows may go on until then. */
  #quietAt = 0
  #longest = usual
  #whole = 0

  /** Before the signal: the process is asked to read, and what it is to read is this generation. */
  asked(pid: number, generation: number): void {
    this.#see(pid)
    this.#asked.push({ generation, at: performance.now(), alone: this.quiet(pid) })
  }

  /** No read is under way or about to begin. `pid`: of a Traefik that has done its first read, undefined where none has. */
  quiet(pid: number | undefined): boolean {
    if (pid === undefined) return false
    return pid !== this.#pid || (this.#asked.length === 0 && performance.now() >= this.#quietAt)
  }

  /** Traefik's API shows this generation. Returns the one of which it has every change, for certain; 0 where of none. */
  shown(pid: number | undefined, generation: number): number {
    if (pid === undefined) return 0
    this.#see(pid)
    const [first, last] = [this.#asked[0], this.#asked.at(-1)]
    if (first?.alone && generation >= first.generation) this.#whole = Math.max(this.#whole, first.generation)
    if (last && generation >= last.generation) this.#over(last)
    if (this.quiet(pid)) this.#whole = generation
    return this.#whole
  }

  /** The last that was asked for is shown. Where it was not alone, one more read may follow, which changes nothing that is shown. */
  #over({ at, alone }: Asked): void {
    const now = performance.now()
    const took = now - at
    if (alone) this.#longest = Math.max(took, this.#longest * 0.9)
    this.#quietAt = alone ? 0 : now + 2 * Math.max(took, this.#longest)
    this.#asked = []
  }

  #see(pid: number): void {
    if (pid === this.#pid) return
    this.#pid = pid
    this.#asked = []
    this.#quietAt = 0
    this.#whole = 0
  }
}
