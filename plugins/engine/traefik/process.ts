import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Supervised, Supervisor } from '../../../core/index.ts'
import { guardAcme } from './acme-state.ts'
import type { Api } from './api.ts'
import { holdFile } from './hold.ts'
import type { Settings } from './settings.ts'
import { type Folders, staticConfig } from './static-config.ts'
import type { Version } from './version.ts'
import { yaml } from './yaml.ts'

export interface Traefik {
  readonly adopted: boolean
  /** Resolves when its API first answers. */
  readonly ready: Promise<void>
  running(): boolean
  /** What the supervisor knows of it. */
  status(): ReturnType<Supervised['status']>
  /** Has it read the folder of routes again. */
  hangUp(): void
  /** Has it open its access log anew. */
  reopenLog(): void
  /** Has it stop listening, and end once what is open is done. */
  release(): Promise<void>
  /** Ends it, with its grace time for open requests, or leaves it serving where that is asked for. */
  end(): Promise<void>
}

/** Writes Traefik's static configuration and has it run; one that runs already with the same configuration goes on. */
export const runTraefik = async (o: {
  settings: Settings
  folders: Folders
  version: Version
  supervisor: Supervisor
  api: Api
  /** Where it gets routes over HTTP. */
  provider: object | undefined
  /** One that runs now may end, within so many seconds. */
  letGo(seconds: number): Promise<void>
  /** Of what its own resolvers need, such as the hook for DNS challenges. */
  env: Readonly<Record<string, string>>
  /** What still stands where it is to listen is asked to go; it can start from here on. */
  makeRoom(): Promise<void>
  /** Rejects where the program that is there now cannot work. */
  check(): Promise<void>
  /** Somebody edited the configuration, which was put back, or with an error was not. */
  mended(error?: unknown): void
  /** What was wrong with the state of Traefik's own ACME, and what came of it. */
  acmeMended(what: string): void
  onExit(reason: string): void
  onRestart(): void
}): Promise<Traefik> => {
  const { settings, folders, api } = o
  await mkdir(folders.state, { recursive: true, mode: 0o700 })
  const acme = settings.issue === 'traefik' ? await guardAcme(folders.state, o.acmeMended) : undefined
  const file = join(folders.state, 'traefik.yaml')
  const text = yaml(staticConfig(settings, folders, o.version, o.provider))
  const letGo = await holdFile(file, text, o.mended)
  const env = { ...o.env, ...settings.acme.dns?.env, ...settings.env }
  await o.makeRoom()
  const stopSeconds = settings.drain + 5
  // One of an earlier gateway, where it was started otherwise.
  await o.letGo(stopSeconds)
  const running = await o.supervisor.run({
    name: 'traefik',
    command: settings.command,
    args: [`--configFile=${file}`],
    env,
    cwd: folders.state,
    ...(settings.user !== undefined && { user: settings.user }),
    ...(settings.netns !== undefined && { netns: settings.netns }),
    probe: async (signal) => (await api.generation(signal)) !== undefined,
    stopSeconds,
    drains: true,
    keep: settings.keepServing,
    revision: createHash('sha256').update(text).digest('hex'),
    onExit: o.onExit,
    beforeRestart: async () => {
      // First what has to be there when another program starts it.
      await acme?.mend()
      await o.check()
    },
    onRestart: o.onRestart,
  })
  let released: ReturnType<Supervised['stopListening']> | undefined
  const isUp = () => running.status().state === 'up'
  const signal = (name: NodeJS.Signals) => {
    const { state, pid } = running.status()
    // Before it is up the signal would end it.
    if (state === 'up' && pid !== undefined) process.kill(pid, name)
  }
  return {
    adopted: running.adopted,
    ready: running.ready,
    running: isUp,
    status: () => running.status(),
    hangUp: () => signal('SIGHUP'),
    reopenLog: () => signal('SIGUSR1'),
    release: async () => {
      letGo()
      released ??= o.letGo(stopSeconds).then(() => running.stopListening())
      await released
    },
    end: async () => {
      letGo()
      acme?.close()
      if (released) return (await released).gone
      if (settings.keepServing) return running.release()
      await o.letGo(stopSeconds)
      await running.stop()
    },
  }
}
