import { type Core, reason, type Service, type Supervisor } from '../../../core/index.ts'
import { leftChildren } from '../../../lib/supervision/child-records.ts'
import { seatsOf } from '../../../lib/supervision/seats.ts'
import { Unreachable, type Zinit } from './client.ts'
import { unit } from './unit.ts'
import { checkService, started, type UnitFiles } from './unit-file.ts'
import { unitsOf } from './units.ts'

/** The plugin that the desk works for. */
export interface User {
  readonly leftoverSeconds: number
  readonly core: Pick<Core, 'log' | 'health' | 'phase'>
}

/** All services of one gateway under one zinit, also while a reload has two plugins on it. */
export const openDesk = async (o: { zinit: Zinit; files: UnitFiles; root: string }, first: User) => {
  const { zinit, files, root } = o
  let { leftoverSeconds, core } = first
  /** What `processes()` left running of this root, before this plugin took its place. */
  const children = new Map((await leftChildren(root)).map((child) => [child.name, child]))
  const makeRoom = async (name: string): Promise<void> => {
    const child = children.get(name)
    if (!child) return
    children.delete(name)
    core.log(`${name} is ended, which ran as a child of the gateway before`, { pid: child.pid })
    await child.end()
  }
  const units = unitsOf({ zinit, files, root, makeRoom, log: (...told) => core.log(...told) })
  const left = new Set<string>()
  let away: string | undefined
  const seats = seatsOf({
    host: () => core,
    trouble: () => away,
    async begin(service: Service) {
      left.delete(service.name)
      const ran = service.keep === true && (await units.serves(service).catch(() => false))
      const kept = unit({ service, zinit, units, changed: () => seats.tell() })
      await kept.begun
      return { kept, ran }
    },
  })

  /** What a gateway of this root left: what was not to be kept is ended, what was waits for who asks for it. */
  const found = await files.ours().catch((error) => {
    core.log(`the units of before are not known: ${reason(error)}`)
    return []
  })
  for (const { name, keep } of found) if (keep) left.add(name)
  await Promise.all([
    ...found.filter(({ keep }) => !keep).map(({ name }) => units.destroy(name, 5)),
    ...[...children.values()].filter(({ keep }) => !keep).map(({ name }) => makeRoom(name)),
  ])

  const look = async () => {
    const now = await zinit.list().then(
      () => undefined,
      (error) => (error instanceof Unreachable ? error.message : undefined),
    )
    if (now === away) return
    away = now
    seats.tell()
  }
  let served = 0
  const watch = setInterval(() => {
    void look()
    // Counted from the end of the start: until then a plugin that asks for it may be still to come.
    if (core.phase() !== 'ready' || served++ < leftoverSeconds) return
    for (const name of children.keys()) void seats.unlessKept(name, () => makeRoom(name))
    for (const name of left) {
      left.delete(name)
      core.log(`${name} is ended: it was left running and no plugin asks for it`)
      void seats.unlessKept(name, () => units.destroy(name, 10))
    }
  }, 1_000).unref()

  const supervisor: Supervisor = {
    async run(service) {
      checkService(service)
      return seats.run(service)
    },
    async left(name) {
      const file = seats.isKept(name) ? undefined : await files.read(name)
      if (!file || file.mark || !(await zinit.status(name).catch(() => undefined))) return undefined
      return started(file)
    },
  }
  return {
    supervisor,
    use(user: User): void {
      leftoverSeconds = user.leftoverSeconds
      core = user.core
      seats.tell()
    },
    async close(): Promise<void> {
      clearInterval(watch)
      await seats.close()
      units.close()
    },
  }
}
export type Desk = Awaited<ReturnType<typeof openDesk>>
