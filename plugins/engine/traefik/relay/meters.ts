import { randomUUID } from 'node:crypto'
import { Journal, type Written } from '../endpoint/journal.ts'
import type { Figure } from './protocol.ts'
import type { Meter, Workload } from './table.ts'

interface Kept extends Meter {
  written: string
}

/** A key that no workload has. */
const epochKey = '.epoch'

/**
 * The counters by workload id, with a durable copy. What was told is durable before that, so a figure never falls within an epoch,
 * whatever is killed; an epoch ends where the copy is lost.
 */
export class Meters {
  readonly #meters = new Map<string, Kept>()
  readonly #find: (id: string) => Workload | undefined
  #journal: Journal | undefined
  #epoch = ''
  #turn: Promise<unknown> = Promise.resolve()

  constructor(find: (id: string) => Workload | undefined) {
    this.#find = find
  }
  get epoch(): string {
    return this.#epoch
  }
  async open(folder: string): Promise<void> {
    const take = ([key, json]: Written) => {
      const value: unknown = json === null ? undefined : JSON.parse(json)
      if (key === epochKey && typeof value === 'string') this.#epoch = value
      else if (json === null) this.#meters.delete(key)
      else if (Array.isArray(value)) {
        const [request = 0, response = 0] = value.map(Number)
        this.#meters.set(key, { request, response, written: json })
      }
    }
    const all = (): Written[] => [
      [epochKey, JSON.stringify(this.#epoch)],
      ...[...this.#meters].flatMap(([id, { written }]) => (written ? [[id, written] as const] : [])),
    ]
    this.#journal = await Journal.open(folder, take, all)
    if (this.#epoch === '') {
      this.#epoch = randomUUID()
      await this.#journal.append([[epochKey, JSON.stringify(this.#epoch)]])
    }
  }

  of(id: string): Meter {
    const known = this.#meters.get(id) ?? { request: 0, response: 0, written: '' }
    this.#meters.set(id, known)
    return known
  }
  figure(id: string): Figure {
    const { request, response } = this.#meters.get(id) ?? { request: 0, response: 0 }
    return [id, request, response - (this.#find(id)?.pending() ?? 0)]
  }
  /** All figures, durable by then. */
  async read(): Promise<readonly Figure[]> {
    const figures = [...this.#meters.keys()]
      .map((id) => this.figure(id))
      .filter(([, request, response]) => request + response > 0)
    await this.#write(figures)
    return figures
  }
  async forget(id: string): Promise<void> {
    if (!this.#meters.delete(id)) return
    await this.#inTurn(async () => this.#journal?.append([[id, null]]))
  }
  async close(): Promise<void> {
    await this.#turn
    await this.#journal?.close()
  }

  #write(figures: readonly Figure[]): Promise<void> {
    return this.#inTurn(async () => {
      const news = figures.flatMap(([id, ...bytes]) => {
        const meter = this.#meters.get(id)
        const json = JSON.stringify(bytes)
        return meter && meter.written !== json ? [{ id, meter, json }] : []
      })
      if (news.length > 0) await this.#journal?.append(news.map(({ id, json }) => [id, json]))
      for (const { meter, json } of news) meter.written = json
    })
  }
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}
