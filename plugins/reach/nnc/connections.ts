import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** How many connections a process has in the network namespace that it is in; 0 where nobody can say. */
export const connectionsOf = (pid: number): number => {
  try {
    const own = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => inodeOf(`/proc/${pid}/fd/${fd}`)))
    return ['tcp', 'tcp6'].flatMap((table) => socketsIn(`/proc/${pid}/net/${table}`)).filter((inode) => own.has(inode)).length
  } catch {
    return 0
  }
}

const inodeOf = (path: string): readonly string[] => {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.slice(1) ?? []
  } catch {
    // Closed since it was listed.
    return []
  }
}

/** Inodes of the sockets of /proc/net/tcp (proc_pid_net(5)) that do not merely listen. */
const socketsIn = (path: string): readonly string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [state, inode] = [fields[3], fields[9]]
      return inode === undefined || state === '0A' ? [] : [inode]
    })
