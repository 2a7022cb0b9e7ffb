import { readFileSync } from 'node:fs'

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

/** /proc/PID/stat from the third field on: the second, the name of the program, may hold blanks and parentheses. */
export const statOf = (pid: number): readonly string[] | undefined => {
  const text = read(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

let boot: string | undefined
const bootId = (): string => {
  boot ??= read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return boot
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
