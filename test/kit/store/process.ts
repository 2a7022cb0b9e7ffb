import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Stored } from '../../../core/index.ts'
import type { Order, StoreModule } from './child.ts'

const script = new URL(`./child${extname(import.meta.url)}`, import.meta.url)

const start = (order: Order): ChildProcess => {
  const child = fork(script, { execArgv: ['--conditions=source'], serialization: 'advanced' })
  onTestFinished(() => killed(child))
  child.send(order)
  return child
}

/** What a fresh process finds in the store. */
export const loadElsewhere = async (at: StoreModule, root: string): Promise<Stored> => {
  const child = start({ ...at, root, do: 'load' })
  const ended = once(child, 'exit')
  const [message] = (await once(child, 'message')) as [{ stored?: Stored; failed?: string }]
  await ended
  if (!message.stored) throw new Error(message.failed ?? 'the process said nothing')
  return message.stored
}

/** A process that has the store open until `kill`. */
export const holdElsewhere = async (at: StoreModule, root: string) => {
  const child = start({ ...at, root, do: 'hold' })
  const [message] = (await once(child, 'message')) as [{ holding?: number; failed?: string }]
  if (message.holding === undefined) throw new Error(message.failed ?? 'the process said nothing')
  return { pid: message.holding, kill: () => killed(child) }
}

/** What a process that was killed with -9 amid its writes had been promised. */
export interface Promised {
  readonly put: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
  /** Asked to go, and no answer came: there or not, but whole. */
  readonly open: ReadonlySet<string>
}

/** Lets a process write until so many commits were answered, then kills it. */
export const killAmidWrites = async (at: StoreModule, root: string, answers: number): Promise<Promised> => {
  const child = start({ ...at, root, do: 'write' })
  const put = new Set<string>()
  const removed = new Set<string>()
  const open = new Set<string>()
  let count = 0
  await new Promise<void>((done, failed) => {
    child.on('message', (message: { put?: string; removing?: string; removed?: string; failed?: string }) => {
      if (message.failed !== undefined) return failed(new Error(message.failed))
      if (message.put !== undefined) put.add(message.put)
      if (message.removing !== undefined) open.add(message.removing)
      if (message.removed !== undefined && open.delete(message.removed)) removed.add(message.removed)
      if (message.removing === undefined && ++count === answers) killed(child).then(done, failed)
    })
    child.once('close', () => failed(new Error('the process ended by itself')))
  })
  return { put, removed, open }
}

const killed = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.removeAllListeners('close')
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
}
