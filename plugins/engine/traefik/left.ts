import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Core } from '../../../core/index.ts'
import { leftManaged } from './alarms.ts'

/** A Traefik that runs as the Go module started it. */
export interface LeftTraefik {
  readonly pid: number
  /** Of /proc/PID/stat: a pid is used again, but never with this. */
  readonly started: string
  /** What it says of itself, such as `2.9.9`. */
  readonly version: string
  /** The service manager whose child it is, which would start it again. */
  readonly manager: string | undefined
}

const managers: readonly string[] = ['zinit']

/** The Traefik that was started with this configuration file, as far as this user may see it (Linux: /proc, any network namespace). */
export const findLeft = async (file: string): Promise<LeftTraefik | undefined> => {
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    const [program = '', ...args] = (await read(`/proc/${name}/cmdline`)).split('\0')
    if (!basename(program).startsWith('traefik') || !names(args, file)) continue
    const stat = await statOf(name)
    if (!stat || stat.state === 'Z') continue
    const parent = (await read(`/proc/${stat.parent}/comm`)).trim()
    const manager = managers.find((each) => each === parent)
    return { pid: Number(name), started: stat.started, version: await versionOf(`/proc/${name}/exe`), manager }
  }
  return undefined
}

/** Seconds in which it stops to listen, which takes it milliseconds. */
const patience = 15

/** Ends the Go module's Traefik now that another is ready to start. One that a service manager would start again is that manager's to end. */
export const makeRoom = async (left: LeftTraefik | undefined, core: Pick<Core, 'log' | 'emit'>): Promise<void> => {
  if (!left || !(await isThere(left))) return
  const { version, pid, manager } = left
  if (manager !== undefined) {
    // A supervisor that works through the same manager replaces it next.
    const late = async () => (await isThere(left)) && core.emit(leftManaged(version, pid, manager))
    setTimeout(late, patience * 1_000).unref()
    return
  }
  const began = performance.now()
  await endLeft(left, patience)
  core.log(`Traefik ${version} of the Go module made room`, { pid, ms: Math.round(performance.now() - began) })
}

/**
 * Ends it, and resolves as soon as it listens no more: from then on another may, while it finishes what it has begun. One that listens
 * on after `seconds` is killed.
 */
const endLeft = async (left: LeftTraefik, seconds: number): Promise<void> => {
  const until = performance.now() + seconds * 1_000
  if (await isThere(left)) process.kill(left.pid, 'SIGTERM')
  while ((await isThere(left)) && (await listens(left.pid))) {
    if (performance.now() > until) process.kill(left.pid, 'SIGKILL')
    await wait(10)
  }
}

/** Flags of Traefik are of any case, with one dash or two, their value behind `=` or next. */
const names = (args: readonly string[], file: string): boolean =>
  args.some((arg, at) => {
    const [flag = '', value = args[at + 1]] = arg.split('=')
    return /^--?configfile$/i.test(flag) && value === file
  })

const isThere = async ({ pid, started }: LeftTraefik): Promise<boolean> => {
  const stat = await statOf(`${pid}`)
  return stat !== undefined && stat.started === started && stat.state !== 'Z'
}

/** Whether a socket of its own is in state LISTEN (0A) in its network namespace. */
const listens = async (pid: number): Promise<boolean> => {
  const rows = (await Promise.all(['tcp', 'tcp6'].map((table) => read(`/proc/${pid}/net/${table}`)))).join('\n').split('\n')
  const open = new Set(
    rows.flatMap((row) => {
      const fields = row.trim().split(/\s+/)
      return fields[3] === '0A' ? [`socket:[${fields[9]}]`] : []
    }),
  )
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return links.some((link) => open.has(link))
}

/** From the third field on: the second, the name of the program, may hold blanks and parentheses. */
const statOf = async (pid: string) => {
  const text = await read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, started] = [fields[0], fields[1], fields[19]]
  return state && parent && started ? { state, parent, started } : undefined
}

/** The very program that runs, whatever lies at its path by now. */
const versionOf = (program: string): Promise<string> =>
  new Promise((done) => {
    execFile(program, ['version'], { timeout: 5_000, killSignal: 'SIGKILL' }, (_, said) =>
      done(/^Version:\s+v?(\S+)/m.exec(said)?.[1] ?? 'of an unknown version'),
    )
  })

const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')
