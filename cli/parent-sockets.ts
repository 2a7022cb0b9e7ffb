import type { SendHandle } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { chmod, unlink } from 'node:fs/promises'
import * as net from 'node:net'
import { answers } from '../core/listeners.ts'
import type { Address } from '../core/plugin.ts'

/** A socket that is bound and that nobody here accepts on: whoever it is sent to does. */
export type Held = SendHandle & {
  close(): void
  /** Fills in the address and port. */
  getsockname?(out: { port?: number }): number
}

/** How the cluster module of Node makes what it sends to its workers. A number is an error. */
const bound: unknown = Reflect.get(net, '_createServerHandle')
const make = (address: string, port: number, type: number): Held | NodeJS.ErrnoException => {
  if (typeof bound !== 'function') return Object.assign(new Error('this Node cannot hold sockets'), { code: 'ENOTSUP' })
  const made: unknown = Reflect.apply(bound, net, [address, port, type, undefined, 0])
  if (typeof made === 'number') return fault(made)
  if (isHeld(made)) return made
  return fault(-22)
}

/** Binds the address. Throws as `listen` does, with `code`. */
export const hold = async (address: Address): Promise<Held> => {
  if ('path' in address) return holdPath(address.path, address.mode)
  const host = address.host === 'localhost' ? (await lookup('localhost')).address : address.host
  const held = make(host, address.port, host.includes(':') ? 6 : 4)
  if (held instanceof Error) throw held
  const name: { port?: number } = {}
  // That a port is taken shows only later; bound to another one it was.
  if (held.getsockname?.(name) !== 0 || (address.port !== 0 && name.port !== address.port)) {
    held.close()
    throw fault(-98)
  }
  return held
}

const holdPath = async (path: string, mode: number | undefined): Promise<Held> => {
  const before = process.umask(0o177)
  let held = make(path, -1, -1)
  process.umask(before)
  if (held instanceof Error && held.code === 'EADDRINUSE' && !(await answers(path))) {
    await unlink(path).catch(() => undefined)
    const mask = process.umask(0o177)
    held = make(path, -1, -1)
    process.umask(mask)
  }
  if (held instanceof Error) throw held
  if (mode !== undefined) await chmod(path, mode)
  return held
}

const names: Readonly<Record<number, string>> = {
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  13: 'EACCES',
  97: 'EAFNOSUPPORT',
  22: 'EINVAL',
}
const fault = (errno: number): NodeJS.ErrnoException => {
  const code = names[-errno] ?? `error ${-errno}`
  return Object.assign(new Error(`listen ${code}`), { code })
}
const isHeld = (value: unknown): value is Held =>
  typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function'
