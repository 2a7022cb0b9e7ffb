import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { keepSaid } from '../kit/said.ts'

export interface GatewayProcess {
  readonly pid: number
  /** What it wrote so far. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves when one of its streams has this text; rejects with all that it wrote when it ends before, or within two minutes. */
  until(text: string): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  [Symbol.asyncDispose](): Promise<void>
}

export const bin = fileURLToPath(new URL('../../bin/gateway.js', import.meta.url))

/** The command `gateway` as a process of its own. */
export const gatewayProcess = (args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): GatewayProcess =>
  follow(process.execPath, [bin, ...args], { ...options, env: { ...process.env, ...options.env } })

/** Any command, watched in the same way; `detached` gives it a process group, which disposing ends whole. */
export const follow = (
  command: string,
  args: readonly string[],
  { cwd, env = process.env, detached = false }: { cwd: string; env?: NodeJS.ProcessEnv; detached?: boolean },
): GatewayProcess => {
  const child = spawn(command, args, { cwd, env, detached, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  const look = () => {
    for (const watcher of watchers) watcher()
  }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      if (name === 'stderr') keepSaid(text)
      look()
    })
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  ended.then(look, look)
  const kill = (signal: NodeJS.Signals) => (detached ? process.kill(-(child.pid ?? 0), signal) : child.kill(signal))

  return {
    pid: child.pid ?? 0,
    get stdout() {
      return said.stdout
    },
    get stderr() {
      return said.stderr
    },
    ended,
    signal: kill,
    until: (text) =>
      new Promise((resolve, reject) => {
        const end = (why?: string) => {
          clearTimeout(late)
          watchers.delete(watcher)
          why ? reject(new Error(`${why} ${JSON.stringify(text)}:\n${said.stdout}${said.stderr}`)) : resolve()
        }
        const watcher = () => {
          if (said.stdout.includes(text) || said.stderr.includes(text)) end()
          else if (child.exitCode !== null || child.signalCode !== null) end('it ended before it said')
        }
        const late = setTimeout(end, 120_000, 'it did not say within two minutes')
        watchers.add(watcher)
        watcher()
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) kill('SIGKILL')
      await ended
    },
  }
}
