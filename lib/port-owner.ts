import { readdir, readFile, readlink } from 'node:fs/promises'

/** A process that holds a port. */
export interface PortOwner {
  readonly pid: number
  readonly command: string
}

/** Who holds this UDP or TCP port, as far as this user may see it (Linux: /proc); `undefined` where that is not to be found out. */
export const portOwner = async (port: number): Promise<PortOwner | undefined> => {
  const inodes = new Set((await Promise.all(tables.map((table) => inodesOf(table, port)))).flat())
  if (inodes.size === 0) return undefined
  const wanted = new Set([...inodes].map((inode) => `socket:[${inode}]`))
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name)))
    if (await holds(pid, wanted)) return { pid: Number(pid), command: (await read(`/proc/${pid}/comm`)).trim() }
  return undefined
}

const tables = ['udp', 'udp6', 'tcp', 'tcp6'] as const
const listening = '0A'

/** A row: number, local address:port in hex, remote, state, ..., inode as the tenth field (proc(5)). */
const inodesOf = async (table: (typeof tables)[number], port: number): Promise<readonly string[]> =>
  (await read(`/proc/net/${table}`))
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local = '', , state]) => Number.parseInt(local.split(':')[1] ?? '', 16) === port && isOpen(table, state))
    .flatMap((fields) => fields[9] ?? [])
const isOpen = (table: string, state: string | undefined): boolean => table.startsWith('udp') || state === listening

const holds = async (pid: string, sockets: ReadonlySet<string>): Promise<boolean> => {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return links.some((link) => sockets.has(link))
}
const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')
