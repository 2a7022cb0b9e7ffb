import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Supervisor, version } from '../../../../core/index.ts'
import { nodeProgram } from '../../../../lib/node-program.ts'

export interface Target {
  readonly host: string
  readonly port: number
}
export interface Bridge {
  /** A connection to one of the targets as it is seen in the namespace. */
  dial(target: Target): Socket
  close(): Promise<void>
}

/** Reaches ports of another network namespace through a process in there: this one cannot enter it. */
export const openBridge = async (o: {
  supervisor: Supervisor
  netns: string
  /** Where its socket is; mode 0700. */
  folder: string
  targets: readonly Target[]
}): Promise<Bridge> => {
  const path = join(o.folder, 'bridge')
  const texts = o.targets.map(textOf)
  const service = await o.supervisor.run({
    name: 'traefik-bridge',
    command: process.execPath,
    args: [...nodeProgram(import.meta.url, 'main'), path, ...texts],
    netns: o.netns,
    revision: version,
    probe: (signal) => answers(path, signal),
  })
  return {
    dial: (target) => {
      const socket = connect(path)
      socket.write(Buffer.of(texts.indexOf(textOf(target))))
      return socket
    },
    close: () => service.stop(),
  }
}

const textOf = ({ host, port }: Target) => `${host}:${port}`

const answers = (path: string, signal: AbortSignal) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ path, signal })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
