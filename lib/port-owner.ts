import { readdir, readFile, readlink } from 'node:fs/promises'
import { parseIp } from './ip.ts'

/** A process that holds a port. */
export interface PortOwner {
  readonly pid: number
  readonly command: string
}

/**
 * Who keeps these addresses, any by default, from having this UDP or TCP port, as far as this user may see it (Linux: /proc, of this network namespace);
 * `undefined` where nobody does or it is not to be found out.
 */
export const portOwner = async (port: number, addresses: readonly string[] = ['0.0.0.0']): Promise<PortOwner | undefined> => {
  const own = addresses.map((text) => Buffer.from(parseIp(text)?.bytes ?? []))
  const inodes = (await Promise.all(tables.map((table) => inodesOf(table, port, own)))).flat()
  if (inodes.length === 0) return undefined
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`))
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name)))
    if (await holds(pid, wanted)) return { pid: Number(pid), command: (await read(`/proc/${pid}/comm`)).trim() }
  return undefined
}

const tables = ['udp', 'udp6', 'tcp', 'tcp6'] as const
const listening = '0A'

/** A row: number, local address:port in hex, remote, state, ..., inode as the tenth field (proc(5)). */
const inodesOf = async (table: (typeof tables)[number], port: number, own: readonly Uint8Array[]): Promise<readonly string[]> =>
  (await read(`/proc/net/${table}`))
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local = '', , state]) => {
      const [address = '', hex = ''] = local.split(':')
      if (Number.parseInt(hex, 16) !== port || (table.startsWith('tcp') && state !== listening)) return false
      const bytes = bytesOf(address)
      return isAny(bytes) || own.some((each) => isAny(each) || Buffer.compare(each, bytes) === 0)
    })
    .flatMap((fields) => fields[9] ?? [])

/** Words of four bytes, each the other way round on the machines there are. */
const bytesOf = (hex: string): Buffer => {
  const bytes = Buffer.from(hex, 'hex')
  return bytes.length % 4 === 0 ? bytes.swap32() : bytes
}
const isAny = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

const holds = async (pid: string, sockets: ReadonlySet<string>): Promise<boolean> => {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return links.some((link) => sockets.has(link))
}
const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')
