import { setTimeout as wait } from 'node:timers/promises'
import { reason } from '../../../core/index.ts'

/** How one state of the routes gets to Traefik: files, or one document over HTTP. */
export interface Channel {
  /** Makes this generation the one that Traefik is to take next, and tells Traefik. Everything before it is in it. */
  offer(generation: number): Promise<void>
  /** Whether Traefik runs, so that it is worth asking. */
  running(): boolean
  /** Why nobody can say what Traefik serves, where it runs and answers nothing. */
  silent(): string | undefined
  /** The generation that Traefik serves on its public port, with every change before it; 0 where none, or that is not certain yet. */
  served(signal: AbortSignal): Promise<number>
}

/** ms between two questions to Traefik: at first, for a second, where it took longer, and of those who wait for an answer. */
const [firstPause, shortPause, longestPause, waitersPause] = [5, 40, 250, 250]
/** ms after which a generation that Traefik does not take is offered again: at first, beside twice what it took lately, and at most. */
const [firstRetry, moreThanUsual, mostRetry] = [1_000, 500, 15_000]
/** How often that time doubles while Traefik takes none. */
const doublings = 2
/** ms after which it is told that Traefik takes nothing. */
const patience = 5_000

/**
 * Has Traefik take what changed, one generation after another: all changes that come while it takes one go into the next, so that a
 * thousand changes cost it a few rebuilds. One that it does not take is offered again, with what came meanwhile.
 */
export class Publisher {
  readonly #channel: Channel
  readonly #signal: AbortSignal
  readonly #told: (generation: number) => Promise<void>
  readonly #failed: (why: string) => void
  #wanted = Date.now()
  #offered = 0
  #served = 0
  #running: Promise<void> | undefined
  #turn = Promise.withResolvers<void>()
  /** The next try is not to wait. */
  #afresh = false
  /** ms that Traefik took for a generation lately. */
  #usual = 0

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

  /**
   * Resolves when Traefik serves that generation or a later one, or serves nothing since it does not run and will find it when it does.
   * Rejects with the signal, and where Traefik answers nothing.
   */
  async served(generation: number, signal: AbortSignal): Promise<void> {
    while (this.#served < generation && (this.#channel.running() || this.#offered < generation)) {
      signal.throwIfAborted()
      if (this.#signal.aborted) return
      const silent = this.#channel.silent()
      if (silent !== undefined) throw new Error(silent)
      await Promise.race([this.#turn.promise, wait(waitersPause)])
    }
  }

  /** Traefik is another one now, or what kept it from taking the routes is gone: it is offered them at once. */
  again(): void {
    this.#afresh = true
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

  #next(): void {
    this.#turn.resolve()
    this.#turn = Promise.withResolvers<void>()
  }

  async #run(): Promise<void> {
    // What comes in the same turn goes along.
    await Promise.resolve()
    while (this.#served < this.#wanted && !this.#signal.aborted) {
      const before = this.#served
      try {
        await this.#deliver()
      } catch (error) {
        await this.#pause(error)
      }
      this.#next()
      // Also where more is wanted already: where changes never end, each is told of all the same.
      if (this.#served > before) await this.#tell(this.#served)
    }
  }

  /**
   * Returns when Traefik serves what is wanted now, offering it until it does. What is wanted later may come along, but is not waited
   * for: of a Traefik that is slow and is offered more and more the first is certain first.
   */
  async #deliver(): Promise<void> {
    const first = this.#wanted
    const since = performance.now()
    for (let tries = 1; this.#served < first && !this.#signal.aborted; tries++) {
      // Under another number each time: what Traefik has seen it does not look at again.
      if (tries > 1) this.publish()
      const generation = this.#wanted
      this.#afresh = false
      const ran = this.#channel.running()
      const began = performance.now()
      await this.#channel.offer(generation)
      this.#offered = generation
      const outcome = await this.#taken(first, ran, began + this.#retryAfter(tries))
      if (typeof outcome === 'number') {
        // One try that came to nothing may have been lost; where more did, Traefik is slow.
        this.#usual = Math.max(performance.now() - (tries > 2 ? since : began), this.#usual * 0.8)
        this.#served = Math.min(outcome, generation)
      } else if (this.#afresh) tries = 0
      else if (performance.now() - since >= patience) this.#complain(outcome)
    }
  }

  /** A Traefik that needs longer than most is not asked to begin again while it is at work. */
  #retryAfter(tries: number): number {
    const first = this.#usual === 0 ? firstRetry : moreThanUsual + 2 * this.#usual
    return Math.min(mostRetry, first * 2 ** Math.min(doublings, tries - 1))
  }

  #complain(outcome: unknown): void {
    if (this.#signal.aborted || !this.#channel.running()) return
    this.#failed(outcome instanceof Error ? reason(outcome) : 'it does not take the routes; its log says why')
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

  /** Asks until Traefik serves it, and returns what it serves. Else why it is to be offered again: Traefik is there now and was not, or did not take it. */
  async #taken(generation: number, ran: boolean, until: number): Promise<number | 'there' | 'not' | Error> {
    let last: Error | undefined
    const soon = performance.now() + 1_000
    const most = () => (performance.now() < soon ? shortPause : longestPause)
    for (let pause = firstPause; !this.#signal.aborted; pause = Math.min(pause * 1.5, most())) {
      try {
        const now = this.#channel.running() ? await this.#channel.served(this.#signal) : 0
        if (now >= generation) return now
        if (!ran && this.#channel.running()) return 'there'
        last = undefined
      } catch (error) {
        last = error instanceof Error ? error : new Error(String(error))
      }
      if (this.#afresh || performance.now() >= until) break
      await wait(Math.min(pause, Math.max(1, until - performance.now())), undefined, { signal: this.#signal }).catch(
        () => undefined,
      )
    }
    return last ?? 'not'
  }
}
