import { randomUUID } from 'node:crypto'
import { Journal, type Written } from '../endpoint/journal.ts'
import { Fold } from '../metrics/fold.ts'
import type { Count } from '../metrics/scrape.ts'
import type { Figure } from './protocol.ts'
import type { Meter, Workload } from './table.ts'

/** Keys that neither a workload nor a service has. */
const epochKey = '.epoch'
const traefikKey = '.traefik'

/**
 * The counters by workload id, of what the relay passes and of what Traefik says, with a durable copy. What was told is durable
 * before that, so a figure never falls within an epoch, whatever is killed; an epoch ends where the copy is lost.
 */
export class Meters {
  readonly #meters = new Map<string, Meter>()
  readonly #find: (id: string) => Workload | undefined
  /** The journal's document. */
  readonly #written = new Map<string, string>()
  readonly fold: Fold
  #journal: Journal | undefined
  #epoch = ''
  #began = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(find: (id: string) => Workload | undefined) {
    this.#find = find
    this.fold = new Fold((id, { request, response }) => {
      const meter = this.of(id)
      meter.request += request
      meter.response += response
    })
  }
  get epoch(): string {
    return this.#epoch
  }
  /** When the epoch began, in seconds since 1970. */
  get began(): number {
    return this.#began
  }
  async open(folder: string): Promise<void> {
    const keep = ([key, json]: Written) => {
      if (json === null) this.#written.delete(key)
      else this.#written.set(key, json)
    }
    this.#journal = await Journal.open(folder, keep, () => this.#written)
    for (const [key, json] of this.#written) this.#take(key, JSON.parse(json))
    if (this.#epoch !== '') return
    this.#epoch = randomUUID()
    this.#began = Date.now() / 1_000
    await this.write()
  }

  of(id: string): Meter {
    const known = this.#meters.get(id) ?? { request: 0, response: 0 }
    this.#meters.set(id, known)
    return known
  }
  figure(id: string): Figure {
    const { request, response } = this.#meters.get(id) ?? { request: 0, response: 0 }
    return [id, request, response - (this.#find(id)?.pending() ?? 0)]
  }
  /** All figures, durable by then. */
  async read(): Promise<readonly Figure[]> {
    const figures = this.#figures()
    await this.#write(figures)
    return figures
  }
  /** Makes what is counted now durable. */
  write(): Promise<void> {
    return this.#write(this.#figures())
  }
  async forget(id: string): Promise<void> {
    if (this.#meters.delete(id)) await this.write()
  }
  async close(): Promise<void> {
    await this.#turn
    await this.#journal?.close()
  }

  #take(key: string, value: unknown): void {
    const [first, second] = Array.isArray(value) ? value : []
    if (key === epochKey) {
      this.#epoch = String(first)
      this.#began = Number(second)
    } else if (key === traefikKey) this.fold.seen = { started: Number(first), used: Number(second) }
    else if (key.includes('@')) this.fold.services.set(key, count(value))
    else this.#meters.set(key, { request: Number(first), response: Number(second) })
  }
  #figures(): readonly Figure[] {
    return [...this.#meters.keys()].map((id) => this.figure(id)).filter(([, request, response]) => request + response > 0)
  }
  #document(figures: readonly Figure[]): ReadonlyMap<string, string> {
    const { seen, services } = this.fold
    return new Map([
      [epochKey, JSON.stringify([this.#epoch, this.#began])],
      ...(seen ? [[traefikKey, JSON.stringify([seen.started, seen.used])] as const] : []),
      ...figures.map(([id, request, response]) => [id, `[${request},${response}]`] as const),
      ...[...services].map(
        ([name, { request, response }]) =>
          [name, JSON.stringify([request.bytes, response.bytes, request.since, response.since])] as const,
      ),
    ])
  }
  #write(figures: readonly Figure[]): Promise<void> {
    // What is written belongs together: the figures, and what of Traefik's they hold already.
    const document = this.#document(figures)
    const done = this.#turn.then(async () => {
      const news: Written[] = []
      for (const [key, json] of document) if (this.#written.get(key) !== json && key !== traefikKey) news.push([key, json])
      for (const key of this.#written.keys()) if (!document.has(key)) news.push([key, null])
      if (news.length === 0) return
      const traefik = document.get(traefikKey)
      if (traefik) news.push([traefikKey, traefik])
      await this.#journal?.append(news)
      for (const [key, json] of news) {
        if (json === null) this.#written.delete(key)
        else this.#written.set(key, json)
      }
    })
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** As it was written: JSON has null for what is not known, and older relays wrote no times. */
const count = (value: unknown): Count => {
  const [request, response, ...times] = Array.isArray(value) ? value : []
  const [asked, answered] = times.map((time) => (typeof time === 'number' ? time : undefined))
  return { request: { bytes: Number(request), since: asked }, response: { bytes: Number(response), since: answered } }
}
