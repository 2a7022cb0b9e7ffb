import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ZinitServer {
  readonly socket: string
  readonly folder: string
  readonly process: ChildProcess
  /** As any other program of a node tells it something, in a line. */
  ask(line: string): Promise<Answer>
  /** The units that it knows, in order. */
  units(): Promise<readonly string[]>
  pidOf(name: string): Promise<number>
  /** Where nobody finds it, while its units run on; and back. */
  away(): void
  back(): void
  /** Resolves when it answers. */
  readonly ready: Promise<unknown>
  /** Ends it and all that it runs. */
  close(): Promise<void>
}

interface Answer {
  readonly state: 'ok' | 'error'
  // biome-ignore lint/suspicious/noExplicitAny: of each command another one
  readonly body: any
}

/**
 * A zinit of the tests' own, whose socket is there a moment later. `within`: words before its command, which end by running that in their place. `ZOS_GATEWAY_ZINIT` names a real one to be used in its place (0.2.14:
 * later ones speak another protocol).
 */
export const startZinit = (
  root: string,
  {
    delay = 2_000,
    path = process.env.PATH,
    within = [],
  }: { delay?: number; path?: string | undefined; within?: readonly string[] } = {},
): ZinitServer => {
  const [socket, folder] = [join(root, 'zinit.sock'), join(root, 'zinit')]
  mkdirSync(folder, { recursive: true })
  const real = process.env.ZOS_GATEWAY_ZINIT
  const script = fileURLToPath(new URL('./server.ts', import.meta.url))
  const [command, args] = real
    ? [real, ['--socket', socket, 'init', '--config', folder, '--container']]
    : [process.execPath, ['--conditions=source', script, socket, folder, `${delay}`]]
  const [first = command, ...rest] = [...within, command, ...args]
  const env = { PATH: path, HOME: process.env.HOME }
  const server = spawn(first, rest, { stdio: ['ignore', 'ignore', real ? 'ignore' : 'inherit'], env })
  const ended = new Promise<void>((done) => server.once('exit', () => done()))
  const ask = async (line: string): Promise<Answer> => JSON.parse(await said(socket, line))
  return {
    socket,
    folder,
    process: server,
    ask,
    units: async () => Object.keys((await ask('list')).body).sort(),
    pidOf: async (name) => (await ask(`status ${name}`)).body.pid ?? 0,
    away: () => renameSync(socket, `${socket}.away`),
    back: () => renameSync(`${socket}.away`, socket),
    ready: answers(socket),
    close: async () => {
      server.kill('SIGTERM')
      await ended
    },
  }
}

const said = (socket: string, line: string) =>
  new Promise<string>((resolve, reject) => {
    let text = ''
    const one = connect(socket, () => one.write(`${line}\n`))
    one
      .setEncoding('utf8')
      .on('data', (chunk) => {
        text += chunk
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })

const answers = async (socket: string): Promise<void> => {
  while (
    !(await new Promise((done) => {
      const one = connect(socket)
      one.once('connect', () => done(one.destroy())).once('error', () => done(false))
    }))
  )
    await after(10)
}
