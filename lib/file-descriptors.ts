import { readFileSync } from 'node:fs'

/** RLIMIT_NOFILE of this process. Node raises it to the hard limit at its start. 1,024 where the system does not tell. */
export const descriptorLimit = (): number => {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return found === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(found ?? 1_024)
  } catch {
    return 1_024
  }
}

/** The file descriptor of a socket. A system gives the lowest free one, so at least as many are open. 0 where it is not known. */
export const descriptorOf = (socket: object): number => {
  const handle: unknown = Reflect.get(socket, '_handle')
  return typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number' ? handle.fd : 0
}

const shortages: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])
/** Whether this machine, not the other side, lacked what a connection takes: descriptors, buffers or local ports. */
export const isShortage = (error: Error): boolean => 'code' in error && shortages.has(error.code)
