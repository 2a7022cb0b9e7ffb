import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from './port.ts'
import { tempRoot } from './root.ts'

export interface RedisOptions {
  /** Extra words of the command line, such as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[]
  /** The program to run. Default `redis-server`. */
  readonly program?: string
}
export interface Redis {
  /** The folder of its socket and its data. */
  readonly root: string
  /** Path of its unix socket. */
  readonly path: string
  /** On 127.0.0.1. */
  readonly port: number
  /** `unix://` and `tcp://` addresses, as `--broker` takes them. */
  readonly broker: { readonly unix: string; readonly tcp: string }
  readonly pid: number
  /** Ends it, by default as an operator would (it saves its data), then starts it again on the same addresses and data. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Ends it; `start` brings it back. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  start(): Promise<void>
  /** Ends it and deletes its folder. */
  close(): Promise<void>
}

/** A private redis-server on a unix socket and a loopback port, with an append-only file in a folder of its own. */
export const startRedis = async ({ args = [], program = 'redis-server' }: RedisOptions = {}): Promise<Redis> => {
  const folder = tempRoot('redis')
  const path = join(folder.path, 'redis.sock')
  const port = await freePort()
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', path, '--dir', folder.path]
  const quiet = ['--daemonize', 'no', '--save', '', '--appendonly', 'yes', '--loglevel', 'warning']
  let child: ChildProcess | undefined

  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = once(ending, 'exit')
    ending.kill(signal)
    await gone
  }
  const start = async () => {
    if (child === undefined) child = await launch(program, [...fixed, ...quiet, ...args], path)
  }
  await start().catch(async (error: unknown) => {
    await folder.remove()
    throw error
  })
  const kill = () => child?.kill('SIGKILL')
  process.once('exit', kill)
  return {
    root: folder.path,
    path,
    port,
    broker: { unix: `unix://${path}`, tcp: `tcp://127.0.0.1:${port}` },
    get pid() {
      return child?.pid ?? 0
    },
    restart: async (signal) => {
      await stop(signal)
      await start()
    },
    stop,
    start,
    close: async () => {
      process.off('exit', kill)
      await stop('SIGKILL')
      await folder.remove()
    },
  }
}

const launch = async (program: string, args: readonly string[], path: string) => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk).slice(-2_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) =>
      reject(new Error(`${program} does not run: ${cause.message}; apt-get install redis-server`, { cause })),
    )
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code} at its start: ${said.trim()}`)))
  })
  failed.catch(() => undefined)
  await Promise.race([failed, answering(path)])
  return child
}

/** Resolves when the server answers PING on its socket with anything but "loading". */
const answering = async (path: string) => {
  for (const until = Date.now() + 60_000; Date.now() < until; ) {
    const answer = await ping(path)
    if (answer !== '' && !answer.startsWith('-LOADING')) return
    await new Promise((done) => setTimeout(done, 10))
  }
  throw new Error('redis-server did not answer within a minute')
}

const ping = (path: string) =>
  new Promise<string>((done) => {
    const socket = connect(path, () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      done(data.toString('latin1'))
      socket.destroy()
    })
    socket.once('error', () => done(''))
    socket.once('close', () => done(''))
  })
