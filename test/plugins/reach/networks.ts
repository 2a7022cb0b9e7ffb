import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { encode, encodeResponse } from '../../../lib/zbus/index.ts'
import { ipPath } from '../../kit/programs.ts'

const run = promisify(execFile)
let count = 0

export interface TenantNetwork {
  /** As networkd names the network namespace of its router. */
  readonly name: string
  /** What networkd answers to Namespace. */
  readonly answer: Buffer
  make(): Promise<void>
  /** A machine in it that answers HTTP on this port with this text, or in the seconds that the path says. */
  serve(text: string, port: number): Promise<void>
  remove(): Promise<void>
}

/** A tenant's network as networkd sets one up: the namespace of its router, and behind a veth pair that of a machine, 10.20.2.5. */
export const tenantNetwork = async (): Promise<TenantNetwork> => {
  const name = `zosgw-n-${process.pid}-${++count}`
  const machine = `${name}-m`
  const servers: ChildProcess[] = []
  const ip = (...words: string[]) => run(ipPath(), words)
  const remove = async () => {
    for (const server of servers.splice(0)) server.kill('SIGKILL')
    for (const one of [name, machine]) await ip('netns', 'del', one).catch(() => undefined)
  }
  const make = async () => {
    for (const one of [name, machine]) {
      await ip('netns', 'add', one)
      await ip('-n', one, 'link', 'set', 'lo', 'up')
    }
    await ip('-n', name, 'link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', machine)
    for (const [one, link, address] of [
      [name, 'inner', '10.20.2.1/24'],
      [machine, 'eth0', '10.20.2.5/24'],
    ] as const) {
      await ip('-n', one, 'addr', 'add', address, 'dev', link)
      await ip('-n', one, 'link', 'set', link, 'up')
    }
  }
  onTestFinished(remove)
  await make()
  return {
    name,
    answer: encodeResponse({ id: 'reply-id', data: encode(name) }),
    make,
    remove,
    async serve(text, port) {
      const script = `require('http').createServer((q, r) => setTimeout(() => r.end('${text}'), 1000 * (Number(q.url.slice(1)) || 0))).listen(${port}, '10.20.2.5', () => console.log('up'))`
      const inside = ['netns', 'exec', machine, process.execPath, '-e', script]
      const server = spawn(ipPath(), inside, { stdio: ['ignore', 'pipe', 'inherit'] })
      servers.push(server)
      if (server.stdout) await once(server.stdout, 'data')
    },
  }
}
