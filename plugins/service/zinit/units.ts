import { setTimeout as sleep } from 'node:timers/promises'
import { type Core, reason, type Service } from '../../../core/index.ts'
import { type Identity, isAlive } from '../../../lib/process.ts'
import { Refused, type Zinit } from './client.ts'
import { failed, serves, type UnitFiles } from './unit-file.ts'

/** Seconds behind SIGKILL: one that hangs in the kernel ends when that lets it. */
const killLimit = 5

/** Ends a unit's process and has zinit forget it; its file goes. Rejects with Unreachable where zinit is away. */
export const takeOut = async (o: { zinit: Zinit; files: UnitFiles }, name: string, seconds: number): Promise<void> => {
  const { zinit, files } = o
  await ask(zinit.stop(name))
  if (!(await ended(zinit, name, seconds))) {
    await ask(zinit.kill(name, 'SIGKILL'))
    await ended(zinit, name, killLimit)
  }
  await ask(zinit.forget(name))
  if (await zinit.status(name)) throw new Error(`zinit does not let ${name} go`)
  await files.remove(name)
}

/** Makes zinit's units what services ask for, and takes them away. */
export const unitsOf = (o: {
  zinit: Zinit
  files: UnitFiles
  root: string
  log: Core['log']
  /** Ends what has this name and is no unit, before the first unit of it. */
  makeRoom: (name: string) => Promise<void>
}) => {
  const { zinit, files, root, log, makeRoom } = o
  const doomed = new Map<string, number>()
  let retrying: NodeJS.Timeout | undefined

  const again = async () => {
    for (const [name, seconds] of doomed) {
      await takeOut(o, name, seconds)
      doomed.delete(name)
      log(`${name} is ended, behind the time`)
    }
  }
  const retry = () => {
    retrying ??= setTimeout(() => {
      void again()
        .catch(() => undefined)
        .finally(() => {
          retrying = undefined
          if (doomed.size) retry()
        })
    }, 1_000).unref()
  }

  return {
    /** Whether a unit runs already that is what the service asks for. */
    async serves(service: Service): Promise<boolean> {
      const file = await files.read(service.name)
      return file !== undefined && file.mark?.keep !== false && serves(file, root, service) && runs(zinit, service.name)
    },
    /** `afresh`: also where it is that already. `first`: one that is stopped is started. Rejects with PROCESS_FAILED, Unreachable or Refused. */
    async ensure(service: Service, { afresh, first }: { readonly afresh: boolean; readonly first: boolean }): Promise<void> {
      const { name, stopSeconds = 10 } = service
      doomed.delete(name)
      const [status, file] = [await zinit.status(name), await files.read(name)]
      // One that was not to be kept is of a gateway that was killed.
      const fits = file && serves(file, root, service) && !(first && file.mark?.keep === false)
      if (status && fits && !afresh) {
        if (first && status.target === 'Down') await zinit.start(name)
        return
      }
      if (status) {
        log(`${name} is replaced: it was started otherwise`)
        await takeOut(o, name, stopSeconds)
      }
      await makeRoom(name)
      await files.write(service).catch((error) => {
        throw failed(service, reason(error), 'see that zinit has a folder for units, and that there is room')
      })
      await zinit.monitor(name)
    },
    /** Ends it for good. Where zinit is away that is done when it is back. */
    async destroy(name: string, seconds: number): Promise<void> {
      try {
        await takeOut(o, name, seconds)
      } catch (error) {
        log(`${name} is not ended yet, which is tried again: ${reason(error)}`)
        doomed.set(name, seconds)
        retry()
      }
    },
    /** Ends the process; zinit starts another. */
    async kill(name: string, process: Identity, seconds: number): Promise<void> {
      await ask(zinit.kill(name, 'SIGTERM'))
      const until = performance.now() + seconds * 1_000
      while (isAlive(process) && performance.now() < until) await sleep(pace)
      if (isAlive(process)) await ask(zinit.kill(name, 'SIGKILL'))
      for (let left = killLimit * 20; left > 0 && isAlive(process); left--) await sleep(pace)
    },
    close: () => clearTimeout(retrying),
  }
}
export type Units = ReturnType<typeof unitsOf>

/** Milliseconds between two looks. */
const pace = 50

const runs = async (zinit: Zinit, name: string): Promise<boolean> => {
  const status = await zinit.status(name)
  return status !== undefined && status.pid !== 0
}
const ended = async (zinit: Zinit, name: string, seconds: number): Promise<boolean> => {
  const until = performance.now() + seconds * 1_000
  while (await runs(zinit, name)) {
    if (performance.now() >= until) return false
    await sleep(pace)
  }
  return true
}
/** zinit's words against a command are of no matter where the state that it was for is there. */
const ask = (command: Promise<void>) =>
  command.catch((error) => {
    if (!(error instanceof Refused)) throw error
  })
