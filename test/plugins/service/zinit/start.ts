import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ZinitServer {
  readonly socket: string
  readonly folder: string
  readonly process: ChildProcess
  /** Resolves when it answers. */
  readonly ready: Promise<unknown>
  /** Ends it and all that it runs. */
  close(): Promise<void>
}

/**
 * A zinit of the tests' own, whose socket is there a moment later. `ZOS_GATEWAY_ZINIT` names a real one to be used in its place (0.2.14:
 * later ones speak another protocol).
 */
export const startZinit = (root: string, delay = 2_000): ZinitServer => {
  const [socket, folder] = [join(root, 'zinit.sock'), join(root, 'zinit')]
  mkdirSync(folder, { recursive: true })
  const real = process.env.ZOS_GATEWAY_ZINIT
  const script = fileURLToPath(new URL('./server.ts', import.meta.url))
  const [command, args] = real
    ? [real, ['--socket', socket, 'init', '--config', folder, '--container']]
    : [process.execPath, ['--conditions=source', script, socket, folder, `${delay}`]]
  const { PATH, HOME } = process.env
  const server = spawn(command, args, { stdio: ['ignore', 'ignore', real ? 'ignore' : 'inherit'], env: { PATH, HOME } })
  const ended = new Promise<void>((done) => server.once('exit', () => done()))
  return {
    socket,
    folder,
    process: server,
    ready: answers(socket),
    close: async () => {
      server.kill('SIGTERM')
      await ended
    },
  }
}

const answers = async (socket: string): Promise<void> => {
  while (
    !(await new Promise((done) => {
      const one = connect(socket)
      one.once('connect', () => done(one.destroy())).once('error', () => done(false))
    }))
  )
    await after(10)
}
