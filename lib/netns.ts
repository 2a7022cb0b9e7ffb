import { readlinkSync, statSync } from 'node:fs'

/** Which network namespace a process is in, comparable to `netnsNamed`; `undefined` where the process is gone or a stranger's. */
export const netnsOf = (pid: number): string | undefined => attempt(() => /\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0])

/** The namespace that has this name now (`ip netns`); `undefined` where there is none. */
export const netnsNamed = (name: string): string | undefined => attempt(() => String(statSync(`/run/netns/${name}`).ino))

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
