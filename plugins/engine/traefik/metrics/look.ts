import { Agent, type IncomingMessage, request } from 'node:http'
import { protobufType } from '../../../../lib/prometheus-protobuf.ts'
import type { Fold } from './fold.ts'
import { readScrape } from './scrape.ts'

/** Where Traefik's metrics are. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** In ms, for one look, and in bytes. Traefik forgets a service that is gone once it was looked at: a look given up may lose bytes. */
const limit = 30_000
const most = 512 << 20
/** A look is as good as new for so many times as long as it took: reading costs a tenth of a core at most. */
const share = 9

/** Looks at Traefik's metrics and folds them in, one look at a time. */
export class Looks {
  readonly #fold: Fold
  /** When this side began to count, in seconds since 1970. */
  readonly #began: () => number
  #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #running: Promise<void> | undefined
  #freshUntil = 0
  #clock = wallClock()

  constructor(fold: Fold, began: () => number) {
    this.#fold = fold
    this.#began = began
  }

  /** Resolves also where no Traefik answers; rejects where what answers cannot be read. `now`: a look that begins after this call. */
  async look(place: Place, now = false): Promise<void> {
    if (now) await this.#running?.catch(() => undefined)
    else if (!this.#running && performance.now() < this.#freshUntil) return
    this.#running ??= this.#take(place).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }
  close(): void {
    this.#agent.destroy()
  }

  async #take(place: Place): Promise<void> {
    const began = performance.now()
    const metrics = await this.#ask(place)
    if (metrics === undefined) return
    const scrape = readScrape(metrics)
    const clock = wallClock()
    if (this.#fold.seen || scrape.started >= this.#began() - slack) this.#fold.take(scrape, clock - this.#clock)
    else this.#fold.skip(scrape)
    this.#clock = clock
    const end = performance.now()
    this.#freshUntil = end + share * (end - began)
  }

  #ask({ host, port }: Place): Promise<string | Buffer | undefined> {
    return new Promise((resolve, reject) => {
      const { promise: late, resolve: tooLate } = Promise.withResolvers<void>()
      const signal = AbortSignal.timeout(limit)
      signal.addEventListener('abort', () => tooLate(), { once: true })
      late.then(() => reject(new Error(`Traefik's metrics took longer than ${limit} ms`)))
      const asked = request({ host, port, path: '/metrics', headers: { accept }, agent: this.#agent, signal }, (answer) => {
        if (answer.statusCode === 200) collect(answer).then(resolve, reject)
        else {
          answer.resume()
          // It has only just begun.
          if (answer.statusCode === 404) resolve(undefined)
          else reject(new Error(`Traefik's metrics answered ${answer.statusCode}`))
        }
      })
      // Nobody there: there is nothing to count.
      asked.once('error', () => resolve(undefined))
      asked.end()
    })
  }
}

/** Seconds by which the start of a process may seem earlier than it was. */
const slack = 2

/** How far the system's clock is from one that nobody sets, in seconds. */
const wallClock = (): number => (Date.now() - performance.now()) / 1_000

const accept = `${protobufType}, text/plain;version=0.0.4;q=0.5`

const collect = async (answer: IncomingMessage): Promise<string | Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    if (size > most) throw new Error(`Traefik's metrics are more than ${most} bytes`)
    chunks.push(chunk)
  }
  const all = Buffer.concat(chunks)
  return answer.headers['content-type']?.startsWith('application/vnd.google.protobuf') ? all : all.toString('utf8')
}
