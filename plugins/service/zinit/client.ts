import { connect } from 'node:net'
import { reason } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'

/** zinit itself gave no usable answer; nothing is known of the service. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}
/** zinit's own words against a command. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
export interface Status {
  /** 0 where it does not run. */
  readonly pid: number
  /** Such as `Running`, `Spawned`, `Error(Exited(Pid(12), 3))`. */
  readonly state: string
  readonly target: 'Up' | 'Down'
}
export interface Zinit {
  /** Of a service that zinit knows. Like all of these it rejects with Unreachable or Refused. */
  status(name: string): Promise<Status | undefined>
  list(): Promise<Readonly<Record<string, string>>>
  monitor(name: string): Promise<void>
  start(name: string): Promise<void>
  stop(name: string): Promise<void>
  forget(name: string): Promise<void>
  kill(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** The last line that the service wrote; empty where zinit does not say. */
  lastLine(name: string): Promise<string>
}

/** Milliseconds for one command: zinit answers at once or not at all. */
const limit = 5_000
/** Of one answer; the log of all services is at most some thousand lines. */
const most = 16 * 1024 * 1024

/** zinit's protocol: a connection for each command, which is one line; the answer is `{"state": "ok" | "error", "body": ...}`. */
export const zinitAt = (socket: string): Zinit => {
  const send = (line: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const give = (why: string) => reject(new Unreachable(`zinit at ${socket} gives no answer: ${why}`))
      const connection = connect(socket)
      const late = setTimeout(() => fail(`${limit / 1_000} s are over`), limit)
      const chunks: Buffer[] = []
      let size = 0
      const fail = (why: string) => {
        clearTimeout(late)
        connection.destroy()
        give(why)
      }
      connection.on('connect', () => connection.write(`${line}\n`))
      connection.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > most) fail('it says too much')
      })
      connection.on('error', (error) => fail(reason(error)))
      connection.on('end', () => {
        clearTimeout(late)
        connection.destroy()
        resolve(Buffer.concat(chunks).toString('utf8'))
      })
    })
  const ask = async (line: string): Promise<unknown> => {
    const text = await send(line)
    const answer = parse(text)
    const state = member(answer, 'state')
    if (state === 'ok') return member(answer, 'body')
    if (state !== 'error') throw new Unreachable(`zinit at ${socket} answers '${shown(text.slice(0, 100))}'`)
    throw new Refused(shown(String(member(answer, 'body'))))
  }
  const does = (verb: string) => async (name: string) => void (await ask(`${verb} ${name}`))
  return {
    async status(name) {
      try {
        const body = await ask(`status ${name}`)
        const [pid, state, target] = [member(body, 'pid'), member(body, 'state'), member(body, 'target')]
        if (typeof pid !== 'number' || typeof state !== 'string' || typeof target !== 'string')
          throw new Unreachable(`zinit at ${socket} answers no status`)
        return { pid, state, target: /^up$/i.test(target) ? 'Up' : 'Down' }
      } catch (error) {
        if (error instanceof Refused && /^service name ".*" unknown$/.test(error.message)) return undefined
        throw error
      }
    },
    async list() {
      const body = await ask('list')
      return Object.fromEntries(Object.entries(Object(body)).map(([name, state]) => [name, String(state)]))
    },
    monitor: does('monitor'),
    start: does('start'),
    stop: does('stop'),
    forget: does('forget'),
    kill: async (name, signal) => void (await ask(`kill ${name} ${signal}`)),
    async lastLine(name) {
      const lines = (await send('log snapshot').catch(() => '')).split('\n')
      const own = lines.flatMap((line) =>
        /^\[.\] /.test(line) && line.slice(4).startsWith(`${name}: `) ? line.slice(name.length + 6) : [],
      )
      return own.findLast((line) => line.trim() !== '' && line !== started)?.trim() ?? ''
    },
  }
}

const started = '------------ [start] ------------'

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const member = (of: unknown, key: string): unknown => (typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined)
