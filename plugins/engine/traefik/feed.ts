import { setTimeout as wait } from 'node:timers/promises'
import { reason } from '../../../core/index.ts'
import type { Api } from './api.ts'
import type { Channel } from './publisher.ts'

/** A document as JSON, by its name: a workload's id, or a name with a dot in it for what is no workload's. */
export type Documents = ReadonlyMap<string, string>
export type Refused = ReadonlyMap<string, Error>

interface Taken {
  /** The generation that Traefik's API shows; 0 where none. */
  readonly shown: number
  /** The generation whose changes it has, all of them, for certain; 0 where none. */
  readonly whole: number
}

/** One way by which Traefik gets its routes. What is called one after another happens in that order, also where nobody waits between. */
export interface Side {
  /** What names of its routers end in, behind the @. */
  readonly provider: 'file' | 'http'
  /** Has documents of an earlier time, of workloads. */
  holds(): Promise<boolean>
  /** Brings it to exactly these documents, as of this generation. */
  open(documents: Documents, generation: number): Promise<void>
  /** Durable when it resolves. `generation`: the one in which Traefik is to get it. */
  change(write: Documents, gone: readonly string[], generation: number, signal: AbortSignal): Promise<Refused>
  /** Has Traefik take all changes so far as this generation. */
  offer(generation: number): Promise<void>
  /** What Traefik has by this way. */
  taken(signal: AbortSignal): Promise<Taken>
  close(): Promise<void>
}

interface Parts {
  readonly file: Side
  /** Absent: files, however many there are. */
  readonly http?: Side | undefined
  /** Above so many workloads they go over HTTP, and below so many back to files. */
  readonly above: number
  readonly below: number
  readonly api: Api
  readonly running: () => boolean
  /** Why nobody can say what Traefik serves, where it answers nothing. */
  readonly silent: () => string | undefined
  readonly publish: () => number
  readonly served: (generation: number, signal: AbortSignal) => Promise<void>
  /** A move is done; a move did not work, and is tried again. */
  readonly moved: (to: Side['provider']) => void
  readonly failed: (why: string) => void
  readonly signal: AbortSignal
}

/** Seconds for a move from one way to the other, and between two tries. */
const patience = 120
const pause = 5

/**
 * Feeds Traefik by files while the routes are few and over HTTP when they are many. On the way from one to the other both have all of
 * them, and only when Traefik serves every route by the new way does the old one lose them: no request meets a route that is not there.
 */
export class Feed implements Channel {
  readonly #parts: Parts
  readonly #documents = new Map<string, string>()
  #workloads = 0
  #active: readonly Side[]
  #moving = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#active = [parts.file]
  }

  get ways(): readonly Side['provider'][] {
    return this.#active.map(({ provider }) => provider)
  }
  running = () => this.#parts.running()
  silent = () => this.#parts.silent()

  /** Brings what Traefik gets to exactly these documents. */
  async open(documents: Documents, generation: number): Promise<void> {
    const { file, http } = this.#parts
    this.#documents.clear()
    this.#workloads = 0
    for (const [name, text] of documents) this.#put(name, text)
    // What Traefik may have read from an earlier gateway stays until it has the new.
    const old = await Promise.all([file, http].map(async (side) => side && (await side.holds()) && side))
    const now = this.#target(old[1] ? http : undefined)
    this.#active = [file, http].filter((side) => side !== undefined).filter((side) => side === now || old.includes(side))
    const opened = [...new Set([file, ...this.#active])].map((side) => {
      const done = side.open(this.#active.includes(side) ? this.#documents : new Map(), generation)
      // It is said again when the endpoint is there.
      return side === file ? done : done.catch((error) => this.#parts.failed(reason(error)))
    })
    await Promise.all(opened)
    void this.#move()
  }

  change(write: Documents, gone: readonly string[], generation: number, signal: AbortSignal): Promise<Refused> {
    for (const [name, text] of write) this.#put(name, text)
    for (const name of gone) if (this.#documents.delete(name) && isWorkload(name)) this.#workloads--
    const done = Promise.all(this.#active.map((side) => side.change(write, gone, generation, signal)))
    void this.#move()
    return done.then((refused) => new Map(refused.flatMap((one) => [...one])))
  }

  async offer(generation: number): Promise<void> {
    await Promise.all(this.#active.map((side) => side.offer(generation)))
  }

  async served(signal: AbortSignal): Promise<number> {
    let all = Number.POSITIVE_INFINITY
    for (const side of this.#active) {
      const { shown, whole } = await side.taken(signal)
      if (whole === 0 || !(await this.#parts.api.serves(shown, signal))) return 0
      all = Math.min(all, whole)
    }
    return all
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.file.close(), this.#parts.http?.close()])
  }

  #put(name: string, text: string): void {
    if (!this.#documents.has(name) && isWorkload(name)) this.#workloads++
    this.#documents.set(name, text)
  }

  #target(current: Side | undefined): Side {
    const { file, http, above, below } = this.#parts
    if (!http || this.#workloads < below) return file
    return this.#workloads > above ? http : (current ?? file)
  }

  async #move(): Promise<void> {
    if (this.#moving) return
    this.#moving = true
    const { failed, signal } = this.#parts
    try {
      while (!signal.aborted) {
        const [first, second] = this.#active
        const to = this.#target(first)
        if (second === undefined && first === to) break
        try {
          await this.#moveTo(to)
        } catch (error) {
          if (signal.aborted) return
          failed(`its routes do not move to ${to.provider}: ${reason(error)}`)
          await wait(pause * 1_000, undefined, { signal }).catch(() => undefined)
        }
      }
    } finally {
      this.#moving = false
    }
  }

  async #moveTo(to: Side): Promise<void> {
    const { publish, moved, signal } = this.#parts
    const first = publish()
    if (!this.#active.includes(to)) {
      // In one turn: every later change goes to both.
      this.#active = [...this.#active, to]
      await to.open(this.#documents, first)
    }
    await this.#confirm(to, first)
    const [from] = this.#active.filter((side) => side !== to)
    if (!from || this.#target(from) !== to) return
    this.#active = [to]
    const generation = publish()
    await from.change(new Map(), [...this.#documents.keys()], generation, signal)
    await from.offer(generation)
    moved(to.provider)
  }

  /** Resolves when Traefik serves every route by this way that it serves by any. */
  async #confirm({ provider }: Side, generation: number): Promise<void> {
    const { api, served, signal } = this.#parts
    const within = AbortSignal.any([signal, AbortSignal.timeout(patience * 1_000)])
    await served(generation, within)
    if (((await api.generation(within, provider)) ?? 0) < generation) throw new Error('Traefik does not have them yet')
    const disabled = new Set((await api.troubles(within)).filter(({ status }) => status === 'disabled').map(({ name }) => name))
    const only = [...disabled].find(
      (name) => name.endsWith(`@${provider}`) && !disabled.has(name.replace(/@.*$/, `@${other(provider)}`)),
    )
    if (only !== undefined) throw new Error(`Traefik refuses ${only}`)
  }
}

const isWorkload = (name: string): boolean => !name.includes('.')
const other = (provider: Side['provider']): Side['provider'] => (provider === 'http' ? 'file' : 'http')
