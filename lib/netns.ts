import { readlinkSync, statSync } from 'node:fs'

/** Which network namespace a process is in, comparable to `netnsNamed`; `undefined` where the process is gone or a stranger's. */
export const netnsOf = (pid: number): string | undefined => attempt(() => /\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0])

/** The namespace that has this name now (`ip netns`); `undefined` where there is none. */
export const netnsNamed = (name: string): string | undefined => attempt(() => String(statSync(`/run/netns/${name}`).ino))

/** The names of the namespaces that a process is started in, and moves on to by itself. */
export interface Netns {
  readonly netns?: string
  readonly into?: string
}

/** The first of them that is not there: one may come later, as that of a node has no interface before its public config. */
export const missingNetns = ({ netns, into }: Netns): string | undefined =>
  [netns, into].find((name) => name !== undefined && netnsNamed(name) === undefined)

/** Why a process is to be replaced: a namespace that it was started in, or moved on to, is another one by now. `place`: the first as it was then. */
export const staleNetns = (
  { netns, into }: Netns,
  { pid, place }: { readonly pid: number; readonly place?: string | undefined },
): string | undefined => {
  const [now, ours] = [netnsOf(pid), netnsOf(process.pid)]
  if (now === undefined) return undefined
  const anew = (name: string) => `the network namespace '${name}' was made anew`
  // While there is none of that name there is nowhere to start it anew, and in ours it is still on its way into its own.
  const first = netns === undefined ? ours : netnsNamed(netns)
  const last = into === undefined ? undefined : netnsNamed(into)
  if (netns !== undefined && first !== undefined) {
    const there = into === undefined ? now : place
    if (there !== first && there !== ours) return anew(netns)
  }
  return into !== undefined && last !== undefined && ![last, first, ours].includes(now) ? anew(into) : undefined
}

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
