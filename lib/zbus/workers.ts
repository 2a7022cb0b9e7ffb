/** What `Status` of zbus says of one worker. */
export interface WorkerStatus {
  readonly state: 'free' | 'busy'
  /** Since when. */
  readonly since: Date
  /** What it does, as `[object@version].Method()`. */
  readonly action: string
}

export interface Workers {
  readonly size: number
  readonly free: number
  /** A free worker begins; its number goes to `end`. */
  begin(action: () => string): number
  end(worker: number): void
  status(): readonly WorkerStatus[]
}

export const createWorkers = (size: number): Workers => {
  const since = new Float64Array(size).fill(Date.now())
  const actions: ((() => string) | undefined)[] = new Array(size).fill(undefined)
  const idle = Array.from({ length: size }, (_, at) => size - 1 - at)
  return {
    size,
    get free() {
      return idle.length
    },
    begin: (action) => {
      const worker = idle.pop()
      if (worker === undefined) throw new Error('every worker is busy')
      actions[worker] = action
      since[worker] = Date.now()
      return worker
    },
    end: (worker) => {
      actions[worker] = undefined
      since[worker] = Date.now()
      idle.push(worker)
    },
    status: () =>
      actions.map((action, worker) => ({
        state: action ? 'busy' : 'free',
        since: new Date(since[worker] ?? 0),
        action: action?.() ?? '',
      })),
  }
}
