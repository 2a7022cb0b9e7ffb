import { setTimeout as wait } from 'node:timers/promises'
import { reason } from '../../../core/index.ts'

/** How one state of the routes gets to Traefik: files, or one document over HTTP. */
export interface Channel {
  /** Makes this generation the one that Traefik is to take next, and tells Traefik. Everything before it is in it. */
  offer(generation: number): Promise<void>
  /** Whether Traefik runs, so that it is worth asking. */
  running(): boolean
  /** The generation that Traefik serves on its public port; `undefined` while it has none. */
  served(generation: number, signal: AbortSignal): Promise<boolean>
}

const longestPause = 250
/** Seconds after which a generation that Traefik does not take is offered again. */
const patience = 15

/**
 * Has Traefik take what changed, one generation after another: all changes that come while it takes one go into the next, so that a
 * thousand changes cost it a few rebuilds.
 */
export class Publisher {
  readonly #channel: Channel
  readonly #signal: AbortSignal
  readonly #told: (generation: number) => Promise<void>
  readonly #failed: (why: string) => void
  #wanted = Date.now()
  #served = 0
  #running: Promise<void> | undefined
  #waiters = new Set<() => void>()

  /** `told`: a generation is served. `failed`: why none is taken, once in a while. */
  constructor(o: {
    channel: Channel
    signal: AbortSignal
    told(generation: number): Promise<void>
    failed(why: string): void
  }) {
    this.#channel = o.channel
    this.#signal = o.signal
    this.#told = o.told
    this.#failed = o.failed
  }

  get wanted(): number {
    return this.#wanted
  }

  /** Returns the number under which the state of now will be served. */
  publish(): number {
    this.#wanted++
    this.#start()
    return this.#wanted
  }

  /** Resolves when Traefik serves that generation or a later one, or serves nothing since it does not run; rejects with the signal. */
  async served(generation: number, signal: AbortSignal): Promise<void> {
    while (this.#served < generation && this.#channel.running()) {
      signal.throwIfAborted()
      if (this.#signal.aborted) return
      await Promise.race([this.#turn(), wait(longestPause)])
    }
  }

  /** Traefik is another one now, or there again: what it serves has to be seen anew. */
  again(): void {
    this.publish()
  }

  async close(): Promise<void> {
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // What was published while it came to its end.
      if (this.#served < this.#wanted && !this.#signal.aborted) this.#start()
    })
  }

  #turn(): Promise<void> {
    return new Promise((done) => this.#waiters.add(done))
  }

  async #run(): Promise<void> {
    // What comes in the same turn goes along.
    await Promise.resolve()
    while (this.#served < this.#wanted && !this.#signal.aborted) {
      const generation = this.#wanted
      try {
        const ran = this.#channel.running()
        await this.#channel.offer(generation)
        if (!(await this.#taken(generation, ran))) continue
        this.#served = generation
      } catch (error) {
        await this.#pause(error)
      }
      const waiters = this.#waiters
      this.#waiters = new Set()
      for (const done of waiters) done()
      if (this.#served === generation) await this.#tell(generation)
    }
  }

  /** Until it was told, or the next one is to be, which says the same. */
  async #tell(generation: number): Promise<void> {
    do {
      try {
        return await this.#told(generation)
      } catch (error) {
        await this.#pause(error)
      }
    } while (!this.#signal.aborted && this.#wanted === generation)
  }

  async #pause(error: unknown): Promise<void> {
    if (this.#signal.aborted) return
    this.#failed(reason(error))
    await wait(1_000, undefined, { signal: this.#signal }).catch(() => undefined)
  }

  /** Asks until Traefik serves it. False where it is time to offer it again, such as to a Traefik that was not there to hear it. */
  async #taken(generation: number, ran: boolean): Promise<boolean> {
    const until = performance.now() + patience * 1_000
    let last: unknown
    for (let pause = 5; performance.now() < until && !this.#signal.aborted; pause = Math.min(pause * 1.5, longestPause)) {
      try {
        if (this.#channel.running() && (await this.#channel.served(generation, this.#signal))) return true
        if (!ran && this.#channel.running()) return false
        last = undefined
      } catch (error) {
        last = error
      }
      await wait(pause, undefined, { signal: this.#signal }).catch(() => undefined)
    }
    if (!this.#signal.aborted && this.#channel.running())
      this.#failed(last === undefined ? 'it does not take the routes; its log says why' : reason(last))
    return false
  }
}
