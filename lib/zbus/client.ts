import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { type Fields, readAnswers, resultOf } from './answers.ts'
import { type Broker, brokerOf, connect, ready } from './broker.ts'
import { subscribe } from './events.ts'
import { encodeRequest, type ObjectId, objectName } from './frame.ts'
import { asBuffer, encode } from './msgpack.ts'
import { decodeStatus, type Status, statusObject } from './status.ts'

export interface ClientOptions {
  /** `unix:///path` or `tcp://[password@]host:port`, or what `parseBroker` makes of it. */
  readonly broker: string | Broker
}
export interface CallOptions {
  /** Milliseconds until the call rejects. Default 10,000. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface Client {
  /**
   * Calls `object.method` of a module and resolves with the decoded result: null where the method has none, a list where it has
   * several, 64-bit integers as bigint. Rejects with CallError, ProtocolError, or as the signal and the timeout do. Nothing is sent
   * twice: after a timeout the call may have happened.
   */
  call(module: string, object: ObjectId, method: string, args?: readonly unknown[], options?: CallOptions): Promise<unknown>
  status(module: string, options?: CallOptions): Promise<Status>
  /** The decoded events of an object from now on, until `signal` aborts. While the broker is away, and past 1,000 unread, events are lost. */
  events(module: string, object: ObjectId, event: string, signal: AbortSignal): AsyncIterable<unknown>
  close(): void
}

/** Calls over one pair of connections, however many run at once. Connects when first used. */
export const createClient = (options: ClientOptions): Client => {
  const broker = brokerOf(options.broker)
  const replyTo = `zbus.reply.${randomUUID()}`
  const closing = new AbortController()
  const calls = new Map<string, (answer: Fields) => void>()
  const open: Redis[] = []
  const opened = async (): Promise<Redis> => {
    const redis = await connect(broker, 'zbus:client')
    open.push(redis)
    if (closing.signal.aborted) redis.disconnect()
    return redis
  }
  let asker: Promise<Redis> | undefined
  const start = async () => {
    const [sender, reader] = await Promise.all([opened(), opened()])
    void readAnswers(reader, replyTo, calls, closing.signal)
    return sender
  }

  const call: Client['call'] = async (module, object, method, args = [], { timeout = 10_000, signal } = {}) => {
    const late = AbortSignal.any([AbortSignal.timeout(timeout), closing.signal, ...(signal ? [signal] : [])])
    const id = randomUUID()
    const request = encodeRequest({ id, inputs: args.map(encode), object, replyTo, method })
    const answer = new Promise<Fields>((done, fail) => {
      calls.set(id, done)
      late.addEventListener('abort', () => fail(late.reason), { once: true })
    })
    answer.catch(() => undefined)
    try {
      asker ??= start()
      const redis = await asker
      await ready(redis, late)
      await redis.rpush(`${module}.${objectName(object)}`, asBuffer(request))
      return resultOf(await answer)
    } finally {
      calls.delete(id)
    }
  }
  return {
    call,
    status: async (module, options) => decodeStatus(await call(module, statusObject, '', [], options)),
    events: (module, object, event, signal) =>
      subscribe(broker, `${module}.${objectName(object)}.${event}`, AbortSignal.any([signal, closing.signal])),
    close: () => {
      closing.abort(new Error('the zbus client is closed'))
      for (const redis of open) redis.disconnect()
    },
  }
}
