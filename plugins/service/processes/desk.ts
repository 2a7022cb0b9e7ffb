import type { Core, Service, Supervised } from '../../../core/index.ts'
import { seatsOf } from '../../../lib/supervision/seats.ts'
import { openChildren } from './children.ts'
import { checkService, launchOf } from './command.ts'
import { type Backoff, keeper } from './keeper.ts'

export interface Settings {
  readonly backoff: Backoff
  readonly logBytes: number
  readonly leftoverSeconds: number
}

/** The plugin that the desk works for. */
export interface User {
  readonly settings: Settings
  readonly core: Pick<Core, 'log' | 'health' | 'phase'>
}

/** All services of one folder, also while a reload has two plugins on it. */
export const openDesk = async (folder: string, first: User) => {
  let { settings, core } = first
  const children = await openChildren(
    folder,
    () => settings.logBytes,
    (...told) => core.log(...told),
  )
  const seats = seatsOf({
    host: () => core,
    async check(service: Service) {
      if (!children.waits(service)) await launchOf(service, '')
    },
    async begin(service: Service) {
      const before = await children.take(service)
      const kept = keeper({
        service,
        child: before ?? (children.waits(service) ? undefined : await children.start(service)),
        log: children.logOf(service.name),
        backoff: () => settings.backoff,
        start: children.start,
        changed: () => seats.tell(),
        stale: children.isStale,
        waits: children.waits,
      })
      return { kept, ran: before !== undefined }
    },
    ended: (name) => children.records.drop(name),
  })

  let served = 0
  const watch = setInterval(() => {
    void children.tidy(seats.names())
    // Counted from the end of the start: until then a plugin that asks for it may be still to come.
    if (core.phase() !== 'ready' || served++ < settings.leftoverSeconds) return
    for (const name of children.left.keys()) void seats.unlessKept(name, () => children.endLeft(name))
  }, 1_000).unref()

  return {
    async run(service: Service): Promise<Supervised> {
      checkService(service)
      return seats.run(service)
    },
    use(user: User): void {
      settings = user.settings
      core = user.core
      seats.tell()
    },
    async close(): Promise<void> {
      clearInterval(watch)
      await seats.close()
      await children.records.written()
    },
  }
}
export type Desk = Awaited<ReturnType<typeof openDesk>>
