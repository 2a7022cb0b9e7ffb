import { readdirSync, readFileSync, statSync } from 'node:fs'

/** One process, once and for all: a pid is used again, but never with this start. */
export interface Identity {
  readonly pid: number
  /** Field 22 of /proc/PID/stat, in clock ticks since the machine started. */
  readonly start: string
  /** Of the start of the machine, since ticks and pids begin anew with it. */
  readonly boot: string
}

/** Who has this pid now; `undefined` where nobody has, a process that ended and was not reaped included. */
export const identify = (pid: number): Identity | undefined => {
  const fields = statOf(pid)
  const start = fields?.[19]
  return start === undefined || fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : { pid, start, boot: bootId() }
}

export const isAlive = (one: Identity): boolean => {
  const now = identify(one.pid)
  return now !== undefined && now.start === one.start && now.boot === one.boot
}

/** The variable by which a child is known as ours also where nothing was recorded of it. */
export const markName = 'ZOS_GATEWAY_SERVICE'

/** `keep` is in it, so that one whose record is lost is still known for what it is. */
export const markOf = (folder: string, name: string, hash: string, keep: boolean): string =>
  `${folder}/${name}:${hash}:${keep ? 'keep' : 'end'}`

/** Processes with a mark that begins so and that lead their own session, as every child of ours does, and run as one of these users. */
export const findMarked = (prefix: string, uids: readonly number[]): readonly { identity: Identity; mark: string }[] =>
  pids().flatMap((pid) => {
    const fields = statOf(pid)
    if (Number(fields?.[3]) !== pid) return []
    const mark = readMark(pid)
    const identity = identify(pid)
    if (!mark?.startsWith(prefix) || !identity || !uids.includes(uidOf(pid))) return []
    return [{ identity, mark }]
  })

/** What is left of a group behind its leader: members that carry the mark. */
export const groupOf = (leader: number, mark: string): readonly number[] =>
  pids().filter((pid) => Number(statOf(pid)?.[2]) === leader && readMark(pid) === mark)

/** Whose child it is; 1, or whoever takes orphans, once that is gone. */
export const parentOf = (pid: number): number => Number(statOf(pid)?.[1])

const pids = () => (attempt(() => readdirSync('/proc')) ?? []).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
const uidOf = (pid: number): number => attempt(() => statSync(`/proc/${pid}`).uid) ?? -1

const readMark = (pid: number): string | undefined =>
  attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))
    ?.split('\0')
    .find((entry) => entry.startsWith(`${markName}=`))
    ?.slice(markName.length + 1)

/** From the third field on: the second, the name of the program, may hold blanks and parentheses. */
const statOf = (pid: number): readonly string[] | undefined => {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

let boot: string | undefined
const bootId = (): string => {
  boot ??= attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? ''
  return boot
}

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
