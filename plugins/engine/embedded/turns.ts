type Job = () => void

/**
 * Does costly jobs a few at a time, with turns of the event loop between, so that many at once hold up nobody else; those of one
 * client by turns with those of others. A turn accepts one connection (libuv 1.52): without turns for that alone, who comes next
 * would wait behind all of a flood in the queue of the kernel, which knows no clients.
 */
export class Turns {
  readonly #most: number
  readonly #pause: number
  readonly #waiting = new Map<string, Job[]>()
  #done = 0
  #turns = 0
  #scheduled = false
  readonly #next = () => this.#go()

  /** `most`: jobs in one turn; then come so many turns without one. */
  constructor(most: number, pause: number) {
    this.#most = most
    this.#pause = pause
  }
  /** Now, or in one of the next turns. Who adds jobs limits their number. */
  take(client: string, job: Job): void {
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(this.#next)
    }
    if (this.#done < this.#most && this.#waiting.size === 0) {
      this.#done++
      job()
      return
    }
    const jobs = this.#waiting.get(client)
    if (jobs) jobs.push(job)
    else this.#waiting.set(client, [job])
  }
  #go(): void {
    if (this.#turns++ < this.#pause) {
      setImmediate(this.#next)
      return
    }
    this.#turns = 0
    this.#scheduled = false
    this.#done = 0
    const jobs: Job[] = []
    for (const [client, waiting] of this.#waiting) {
      if (jobs.length === this.#most) break
      const job = waiting.shift()
      if (job) jobs.push(job)
      // Who had a turn goes behind all others.
      this.#waiting.delete(client)
      if (waiting.length > 0) this.#waiting.set(client, waiting)
    }
    this.#done = jobs.length
    if (jobs.length > 0) {
      this.#scheduled = true
      setImmediate(this.#next)
    }
    for (const job of jobs) job()
  }
}
