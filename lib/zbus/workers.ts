/** What `Status` of zbus says of one worker. */
export interface WorkerStatus {
  readonly state: 'free' | 'busy'
  /** Since when. */
  readonly since: Date
  /** What it does, as `[object@version].Method()`. */
  readonly action: string
}

export interface Workers<Work> {
  readonly size: number
  readonly free: number
  /** A free worker begins; its number goes to `end`. */
  begin(work: Work): number
  end(worker: number): void
  /** Resolves when all are free. */
  idle(): Promise<void>
  status(action: (work: Work) => string): readonly WorkerStatus[]
}

export const createWorkers = <Work>(size: number): Workers<Work> => {
  const since = new Float64Array(size).fill(Date.now())
  const works: (Work | undefined)[] = Array.from({ length: size }, () => undefined)
  const free = Array.from({ length: size }, (_, at) => size - 1 - at)
  let allFree: (() => void) | undefined
  return {
    size,
    get free() {
      return free.length
    },
    begin: (work) => {
      const worker = free.pop()
      if (worker === undefined) throw new Error('every worker is busy')
      works[worker] = work
      since[worker] = Date.now()
      return worker
    },
    end: (worker) => {
      works[worker] = undefined
      since[worker] = Date.now()
      free.push(worker)
      if (free.length === size) allFree?.()
    },
    idle: async () => {
      if (free.length < size)
        await new Promise<void>((done) => {
          allFree = done
        })
    },
    status: (action) =>
      works.map((work, worker) => ({
        state: work === undefined ? 'free' : 'busy',
        since: new Date(since[worker] ?? 0),
        action: work === undefined ? '' : action(work),
      })),
  }
}
