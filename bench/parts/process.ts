import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Started {
  readonly pid: number
  /** Milliseconds from its start until it was ready. */
  readonly took: number
  /** SIGTERM, and SIGKILL where that does not end it in 40 s. */
  stop(): Promise<void>
}
interface How {
  /** Ready once stdout has this. Absent: once it runs. */
  readonly says?: string
  /** Ready once this resolves. */
  readonly until?: () => Promise<unknown>
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Seconds that it may take to be ready; 60 by default. */
  readonly within?: number
}

/** Starts a program that runs on in the background. Rejects, with what it wrote, where it ends or is not ready in time. */
export const start = async (command: string, args: readonly string[], how: How = {}): Promise<Started> => {
  const began = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: how.cwd, env: { ...process.env, ...how.env } })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let wrote = ''
  const said = new Promise<void>((resolve) => {
    const read = (chunk: Buffer) => {
      wrote = (wrote + chunk).slice(-4_000)
      if (how.says && wrote.includes(how.says)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    if (!how.says) child.once('spawn', resolve)
  })
  const failed = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const fail = (why: string) => reject(new Error(`${command} ${args.join(' ')}: ${why}\n${wrote}`))
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => fail(`it ended with ${signal ?? code}`))
    setTimeout(() => fail('it was not ready in time'), (how.within ?? 60) * 1_000).unref()
  })
  ended.catch(() => failed.abort())
  try {
    await Promise.race([said.then(how.until), ended])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const took = performance.now() - began
  return { pid: child.pid ?? 0, took, stop: () => stop(child) }
}

/** Runs a program to its end, with `input` as its stdin, and gives its stdout. Rejects, with stderr, where it fails. */
export const run = async (
  command: string,
  args: readonly string[],
  { input = '', ...options }: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
) => {
  const child = spawn(command, args, { stdio: 'pipe', ...options, env: { ...process.env, ...options.env } })
  running.add(child)
  // One that ends before it has read all tells why by its exit code.
  child.stdin.on('error', () => undefined).end(input)
  let out = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk).slice(-4_000)
  })
  const [code, signal] = await once(child, 'close')
  running.delete(child)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}\n${errors}`)
  return out
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 40_000)
  await gone
  clearTimeout(late)
}
