import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Broker, connect, ready, retryDelay } from './broker.ts'
import { guard, run, take } from './scripts.ts'

/** The longest request that is taken whole, in bytes. */
export const maxRequest = 1 << 20

/** A request longer than `maxRequest`: its first and last bytes stand for it. */
export interface Oversized {
  readonly size: number
  readonly head: Buffer
  readonly tail: Buffer
}

export interface Taking {
  readonly broker: Broker
  readonly queue: string
  /** The list that requests are on from the moment they leave the queue until they are answered. */
  readonly taken: string
  readonly guard: string
  readonly signal: AbortSignal
  /** Resolves when more can be taken: how many, and how many bytes of them. Rejects when nothing more is. */
  room(): Promise<{ count: number; bytes: number }>
  admit(request: Buffer | Oversized): void
  /** Admits what is on the list of taken requests and unknown here, as after a connection broke in the middle of a take. */
  recover(): Promise<void>
  /** What keeps requests from being taken; undefined when they are again. */
  trouble(error: unknown): void
}

const waitSeconds = 5

/**
 * Takes requests off one queue in order until `signal` aborts. One round trip waits for the queue to fill and takes what is there: a
 * blocking move onto a key that can hold no list wakes and moves nothing, and the script behind it, atomic on every version of Redis,
 * takes all there is room for.
 */
export const runTaker = async (taking: Taking): Promise<void> => {
  const { signal, trouble } = taking
  const redis = await connect(taking.broker, `zbus:${taking.queue}`)
  const stop = () => redis.disconnect()
  signal.addEventListener('abort', stop)
  const wait = createWait(taking)
  for (let tries = 0; !signal.aborted; ) {
    try {
      await ready(redis, signal)
      await run(redis, guard, [taking.guard, taking.taken], [])
      await taking.recover()
      trouble(undefined)
      while (!signal.aborted) {
        const { count, bytes } = await taking.room()
        const limits = [String(count), String(bytes), String(maxRequest)]
        const [woken, reply] = await waitAndTake(redis, wait.command(), [taking.queue, taking.taken], limits)
        for (const request of requests(reply)) taking.admit(request)
        wait.woken(woken)
        tries = 0
      }
    } catch (error) {
      if (signal.aborted) break
      trouble(error)
      if (redis.status === 'ready') await pause(retryDelay(++tries), undefined, { signal }).catch(() => undefined)
    }
  }
  signal.removeEventListener('abort', stop)
  redis.disconnect()
}

type Command = [string, ...string[]]

/** The wait and the script behind it in one write: what the wait said, and what was taken. */
const waitAndTake = async (
  redis: Redis,
  wait: Command,
  keys: string[],
  limits: string[],
): Promise<[woken: unknown, taken: unknown]> => {
  const pipeline = redis
    .pipeline()
    .call(...wait)
    .callBuffer('EVALSHA', take.sha, keys.length, ...keys, ...limits)
  const [woken, taken] = (await pipeline.exec()) ?? []
  if (!woken || !taken) throw new Error('the connection is closed')
  const [failed, reply] = taken
  if (!failed) return [woken[0] ?? woken[1], reply]
  if (!failed.message.startsWith('NOSCRIPT')) throw failed
  return [woken[0] ?? woken[1], await run(redis, take, keys, limits)]
}

/** BLMOVE came with Redis 6.2; nodes have older ones. */
const createWait = ({ queue, guard }: Taking) => {
  let modern = true
  return {
    command: (): Command =>
      modern ? ['BLMOVE', queue, guard, 'LEFT', 'RIGHT', String(waitSeconds)] : ['BRPOPLPUSH', queue, guard, String(waitSeconds)],
    /** The guard refused the move: there is something. Nil: there is nothing yet. */
    woken: (by: unknown): void => {
      if (by === null) return
      if (!(by instanceof Error)) throw new Error('the guard key was deleted')
      if (/^WRONGTYPE|^UNBLOCKED/.test(by.message)) return
      if (!modern || !/^ERR unknown command/i.test(by.message)) throw by
      modern = false
    },
  }
}

function* requests(reply: unknown): Iterable<Buffer | Oversized> {
  if (!Array.isArray(reply)) return
  for (const each of reply) {
    if (each instanceof Buffer) yield each
    else if (Array.isArray(each)) {
      const [size, head, tail] = each
      if (head instanceof Buffer && tail instanceof Buffer) yield { size: Number(size), head, tail }
    }
  }
}
