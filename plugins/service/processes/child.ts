import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { reason, type Service } from '../../../core/index.ts'
import { type Identity, identify, isAlive } from '../../../lib/process.ts'
import { failed, type Launch } from './command.ts'
import { groupOf } from './proc.ts'

/** A process of ours, started now or before this gateway. */
export interface Child {
  readonly pid: number
  readonly identity?: Identity
  /** The network namespace that it was started in; `undefined` where it has none of its own or nobody knows. */
  readonly place?: string | undefined
  /** The log's end when it started: its own lines come behind. */
  readonly logged: number
  /** How it ended, such as `exit code 1`. Never rejects. */
  readonly ended: Promise<string>
  /** SIGTERM to its group, SIGKILL after `seconds`. Resolves when it is gone. */
  end(seconds: number): Promise<void>
  /** The gateway may exit without it. */
  leave(): void
}

/** Starts it as the leader of a session of its own, so that no signal of a terminal reaches it. Rejects with PROCESS_FAILED. */
export const start = async (
  service: Service,
  launch: Launch,
  mark: string,
  log: number | 'ignore',
  logged: number,
): Promise<Child> => {
  const { file, args, ...rest } = launch
  try {
    const child = spawn(file, args, { ...rest, detached: true, stdio: ['ignore', log, log] })
    // Before anything is awaited: it may be over at once.
    const exited = once(child, 'exit').then(([code, signal]) => (signal ? `${signal}` : `exit code ${code}`))
    exited.catch(() => undefined)
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    const identity = identify(pid)
    let over = false
    const ended = exited.then(
      (how) => {
        over = true
        killGroup(pid, mark)
        return how
      },
      (error) => reason(error),
    )
    const isOver = () => over
    return {
      pid,
      ...(identity && { identity }),
      logged,
      ended,
      end: (seconds) => end({ pid, mark, ended, isOver }, seconds),
      leave: () => child.unref(),
    }
  } catch (error) {
    throw failed(service, reason(error), 'see whether the program is whole and made for this machine', error)
  }
}

/** Takes over one that an earlier gateway started. Nobody tells us when it ends: it is looked at twice a second. */
export const adopt = (identity: Identity, mark: string, place?: string): Child => {
  const left = new AbortController()
  const ending = new AbortController()
  const isOver = () => !isAlive(identity)
  const ended = (async () => {
    while (!isOver() && !left.signal.aborted) {
      const { aborted, signal } = { aborted: ending.signal.aborted, signal: AbortSignal.any([left.signal, ending.signal]) }
      await sleep(aborted ? 20 : 500, undefined, { ref: false, ...(!aborted && { signal }) }).catch(() => undefined)
    }
    if (left.signal.aborted) return 'it was left'
    killGroup(identity.pid, mark)
    return 'an exit code that only its parent knew'
  })()
  return {
    pid: identity.pid,
    identity,
    place,
    logged: 0,
    ended,
    end: (seconds) => {
      ending.abort()
      return end({ pid: identity.pid, mark, ended, isOver }, seconds)
    },
    leave: () => left.abort(),
  }
}

interface Ending {
  readonly pid: number
  readonly mark: string
  readonly ended: Promise<string>
  isOver(): boolean
}
const end = async (child: Ending, seconds: number): Promise<void> => {
  // To the leader and its workers alike, as a service manager does; not where the pid may be somebody else's by now.
  if (!child.isOver()) signal(-child.pid, 'SIGTERM')
  const late = new AbortController()
  const over = child.ended.then(() => late.abort())
  await sleep(seconds * 1000, undefined, { signal: late.signal }).catch(() => undefined)
  if (late.signal.aborted) return
  if (!child.isOver()) signal(-child.pid, 'SIGKILL')
  // One that hangs in the kernel ends when that lets it.
  await Promise.race([over, sleep(5_000, undefined, { ref: false })])
}

/** Workers that outlived their leader hold its ports. */
const killGroup = (leader: number, mark: string): void => {
  try {
    process.kill(-leader, 0)
  } catch {
    return
  }
  for (const pid of groupOf(leader, mark)) signal(pid, 'SIGKILL')
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone, which is what is wanted.
  }
}
